"""S3 Batch Operations: restores of many objects as one job, with a manifest before it and a report behind it.

Never run against Amazon by us: the calls are botocore's, and the answers those of its documentation
(tests/contracts/objects/test_s3_batches.py replays them).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from botocore.config import Config

from common.adapters.objects.answers import Answer
from common.adapters.objects.s3.boto_errors import translated
from common.adapters.objects.s3.client import DEFAULT_REGION
from common.adapters.objects.s3.cold import meaning
from common.adapters.objects.s3.control import Control, open_session
from common.errors import AlreadyExists, BackfillError, Changed
from common.ports import BatchOrder, BatchStatus, Restore

if TYPE_CHECKING:
    from common.adapters.objects.cold_configuration import BatchConfig
    from common.adapters.objects.configuration import LocationConfig

_ENDED = frozenset({"Complete", "Failed", "Cancelled"})
_DESCRIPTION = "Restores for Backfill"


@dataclass(frozen=True)
class S3Batches:
    """BatchRestores of one bucket, with manifests and reports in another."""

    config: LocationConfig
    settings: BatchConfig
    account: str

    def submit(self, order: BatchOrder) -> str:
        key = f"{self._room(order.token)}manifest.csv"
        etag = self._put_manifest(key, manifest(self.config.bucket, order.objects))
        fields = ["Bucket", "Key"] + (["VersionId"] if _versioned(order.objects) else [])
        restore: dict[str, Any] = {"GlacierJobTier": order.tier.value.upper()}
        if order.days is not None:
            restore["ExpirationInDays"] = order.days
        with translated(f"creating the batch {order.token}"):
            answer = self._control.create_job(
                AccountId=self.account,
                ConfirmationRequired=False,
                ClientRequestToken=order.token,
                Description=_DESCRIPTION,
                Operation={"S3InitiateRestoreObject": restore},
                Manifest={
                    "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": fields},
                    "Location": {"ObjectArn": f"{self._bucket_arn}/{key}", "ETag": etag},
                },
                Report={
                    "Bucket": self._bucket_arn,
                    "Format": "Report_CSV_20180820",
                    "Enabled": True,
                    "Prefix": self._room(order.token).rstrip("/"),
                    "ReportScope": "FailedTasksOnly",
                },
                Priority=self.settings.priority,
                RoleArn=self.settings.role_arn,
                Tags=[{"Key": "client_tag", "Value": order.tag}] if order.tag else [],
            )
        job_id: str = answer["JobId"]
        return job_id

    def look(self, batch_id: str) -> BatchStatus:
        with translated(f"looking at the batch {batch_id}"):
            job = self._control.describe_job(AccountId=self.account, JobId=batch_id)["Job"]
        done = job.get("ProgressSummary", {})
        reasons = [f"{one.get('FailureCode')}: {one.get('FailureReason')}" for one in job.get("FailureReasons", [])]
        status, failed = job["Status"], done.get("NumberOfTasksFailed", 0)
        return BatchStatus(
            name=status,
            ended=status in _ENDED,
            complete=status == "Complete",
            tried=done.get("NumberOfTasksSucceeded", 0) + failed,
            failed=failed,
            why="; ".join(reasons) or job.get("StatusUpdateReason", ""),
        )

    def failures(self, batch_id: str, token: str) -> Iterator[tuple[str, Restore | BackfillError]]:
        """Nothing, where there is no report: a batch that failed before its first task has none."""
        room = f"{self._room(token)}job-{batch_id}/"
        told = self._read(f"{room}manifest.json")
        if told is None:
            return
        report = json.loads(told)
        columns = [name.strip() for name in report["ReportSchema"].split(",")]
        for result in report["Results"]:
            if result["TaskExecutionStatus"] == "failed":
                yield from failed_tasks(self._read(result["Key"]) or "", columns)

    def _room(self, token: str) -> str:
        return f"{self.settings.prefix}{token}/"

    def _put_manifest(self, key: str, text: str) -> str:
        """Its ETag, also where an earlier attempt wrote it: a job pins the manifest that it was made with."""
        place = {"Bucket": self.settings.bucket, "Key": key}
        try:
            with translated(f"writing {key}", writing=True):
                answer = self._objects.put_object(**place, Body=text.encode(), IfNoneMatch="*")
        except (AlreadyExists, Changed):
            with translated(f"looking at {key}"):
                answer = self._objects.head_object(**place)
        etag: str = answer["ETag"].strip('"')
        return etag

    def _read(self, key: str) -> str | None:
        from common.errors import NotFound

        try:
            with translated(f"reading {key}"):
                text: bytes = self._objects.get_object(Bucket=self.settings.bucket, Key=key)["Body"].read()
        except NotFound:
            return None
        return text.decode()

    @property
    def _bucket_arn(self) -> str:
        partition = "aws-cn" if (self.config.region or "").startswith("cn-") else "aws"
        return f"arn:{partition}:s3:::{self.settings.bucket}"

    @cached_property
    def _objects(self) -> Any:
        return Control.of(open_session(self.config), self.config).client

    @cached_property
    def _control(self) -> Any:
        endpoint = self.config.endpoint
        client = open_session(self.config).client(
            "s3control",
            region_name=self.config.region or DEFAULT_REGION,
            endpoint_url=endpoint,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=self.config.connect_timeout,
                read_timeout=self.config.read_timeout,
            ),
        )
        if endpoint:
            client.meta.events.register("before-sign.s3-control", self._at_the_endpoint_itself)
        return client

    def _at_the_endpoint_itself(self, request: Any, **_: Any) -> None:
        """botocore puts the account before every host's name; only Amazon has such hosts."""
        request.url = request.url.replace(f"//{self.account}.", "//", 1)


def manifest(bucket: str, objects: Sequence[tuple[str, str | None]]) -> str:
    """CSV without a header. Keys are percent-encoded, so that nothing in them needs quotes."""
    versioned = _versioned(objects)
    lines = (
        ",".join((bucket, quote(key, safe="/"), *([version or ""] if versioned else []))) for key, version in objects
    )
    return "".join(f"{line}\n" for line in lines)


def failed_tasks(text: str, columns: Sequence[str]) -> Iterator[tuple[str, Restore | BackfillError]]:
    """The lines of a report. 403 with RestoreAlreadyInProgress and the like are answers here as they are elsewhere."""
    for line in csv.reader(io.StringIO(text)):
        told = dict(zip(columns, line, strict=False))
        key, status = unquote_plus(told["Key"]), told.get("HTTPStatusCode", "")
        answer = Answer(int(status) if status.isdigit() else None, told.get("ErrorCode") or None)
        try:
            yield key, meaning(answer, what=f"restoring {key} (batch)")
        except BackfillError as error:
            yield key, error


def _versioned(objects: Sequence[tuple[str, str | None]]) -> bool:
    return any(version for _, version in objects)
