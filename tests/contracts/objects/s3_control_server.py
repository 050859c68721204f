"""Amazon S3's control API as its documentation has it, on a socket: checks signatures, replays recorded answers.

Not a simulation of S3 Batch Operations: it keeps objects, and jobs by their ClientRequestToken, and says of a job what
it was told to say.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY, SECRET, REGION = "AKIDEXAMPLE", "secret", "eu-west-1"
ACCOUNT = "123456789012"

_CREATED = """<?xml version="1.0" encoding="UTF-8"?>
<CreateJobResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><JobId>{job}</JobId></CreateJobResult>"""

_DESCRIBED = """<?xml version="1.0" encoding="UTF-8"?>
<DescribeJobResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Job>
<JobId>{job}</JobId><ConfirmationRequired>false</ConfirmationRequired><Description>Restores for Backfill</Description>
<JobArn>arn:aws:s3:eu-west-1:123456789012:job/{job}</JobArn><Status>{status}</Status><Priority>10</Priority>
<ProgressSummary><TotalNumberOfTasks>{total}</TotalNumberOfTasks>
<NumberOfTasksSucceeded>{succeeded}</NumberOfTasksSucceeded><NumberOfTasksFailed>{failed}</NumberOfTasksFailed>
</ProgressSummary><FailureReasons>{reasons}</FailureReasons><CreationTime>2026-01-05T09:00:00Z</CreationTime>
</Job></DescribeJobResult>"""


@dataclass
class Job:
    """A job as it was asked for, and what is said of it."""

    id: str
    request: dict[str, Any]
    status: str = "Active"
    total: int = 0
    failed: int = 0
    reasons: str = ""


@dataclass
class S3Control:
    """What the server knows."""

    endpoint: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    """By "bucket/key"."""
    jobs: dict[str, Job] = field(default_factory=dict)
    """By token."""
    refused: list[str] = field(default_factory=list)
    """Why requests were refused."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def job(self, job_id: str) -> Job | None:
        return next((job for job in self.jobs.values() if job.id == job_id), None)


@contextmanager
def s3_control() -> Iterator[S3Control]:
    """A running server."""
    known = S3Control()

    class Handler(_Handler):
        server_knows = known

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_knows: S3Control
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Tests show what matters."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _signed(self, body: bytes) -> bool:
        """By the secret that both know, over the headers that the client names."""
        given = self.headers.get("authorization", "")
        found = re.fullmatch(
            rf"AWS4-HMAC-SHA256 Credential={KEY}/\d{{8}}/{REGION}/s3/aws4_request, SignedHeaders=([a-z0-9;-]+), "
            r"Signature=([0-9a-f]{64})",
            given,
        )
        if found is None:
            return self._refuse(f"no signature: {given}")
        headers = {name: self.headers[name] for name in found[1].split(";")}
        request = AWSRequest(self.command, self.server_knows.endpoint + self.path, headers=headers, data=body)
        request.context["timestamp"] = self.headers["x-amz-date"]
        auth = S3SigV4Auth(Credentials(KEY, SECRET), "s3", REGION)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return expected == found[2] or self._refuse("another signature")

    def _refuse(self, why: str) -> bool:
        self.server_knows.refused.append(why)
        self._answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return False

    def do_PUT(self) -> None:
        body, known = self._body(), self.server_knows
        if not self._signed(body):
            return
        name = self.path.lstrip("/")
        if name in known.objects and self.headers.get("if-none-match") == "*":
            self._answer(412, "<Error><Code>PreconditionFailed</Code></Error>")
            return
        known.objects[name] = body
        self._answer(200, ETag=_etag(body))

    def do_HEAD(self) -> None:
        found = self.server_knows.objects.get(self.path.lstrip("/"))
        self._answer(404) if found is None else self._answer(200, found, ETag=_etag(found))

    def do_GET(self) -> None:
        known = self.server_knows
        if match := re.fullmatch(r"/v20180820/jobs/([0-9a-z-]+)", self.path):
            if self._signed(b""):
                self._describe(known.job(match[1]))
            return
        found = known.objects.get(self.path.lstrip("/"))
        if found is None:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, found, ETag=_etag(found))

    def _describe(self, job: Job | None) -> None:
        if job is None:
            self._answer(404, "<ErrorResponse><Error><Code>NoSuchJob</Code></Error></ErrorResponse>")
            return
        self._answer(
            200,
            _DESCRIBED.format(
                job=job.id,
                status=job.status,
                total=job.total,
                succeeded=job.total - job.failed,
                failed=job.failed,
                reasons=job.reasons,
            ),
        )

    def do_POST(self) -> None:
        body, known = self._body(), self.server_knows
        if not self._signed(body):
            return
        if self.path != "/v20180820/jobs" or self.headers.get("x-amz-account-id") != ACCOUNT:
            self._refuse(f"{self.path} of {self.headers.get('x-amz-account-id')}")
            return
        request = _plain(ElementTree.fromstring(body))
        with known.lock:
            token = request["ClientRequestToken"]
            job = known.jobs.setdefault(token, Job(f"00000000-0000-4000-8000-{len(known.jobs):012d}", request))
        self._answer(200, _CREATED.format(job=job.id))


def _plain(element: ElementTree.Element) -> Any:
    """XML as dicts and texts; repeated names as lists."""
    children = list(element)
    if not children:
        return element.text or ""
    names = [child.tag.rpartition("}")[2] for child in children]
    if len(set(names)) < len(names) or names == ["member"]:
        return [_plain(child) for child in children]
    return {name: _plain(child) for name, child in zip(names, children, strict=True)}


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
