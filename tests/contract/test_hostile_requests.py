"""Whatever a request holds, the answer is one of ours: no 5xx, and what is refused says why."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from contract.live import SERVICES
from servers.ledgers import Ledgers
from unit.bag_register.ledgers import a_ledger

METHODS = ("get", "post", "put", "patch", "delete")
SEGMENTS = ("%00", "%2F", "..%2F..", "%FF%FE", "-1", "9" * 30, "x" * 5000, "%F0%9F%92%BE'%22%3C", "%ED%A0%80")
QUERIES = ("%00", "-1", "9" * 30, "1e999", "%FF", "x" * 5000, "%5B%5D", "2026-99-99T00:00:00Z", "%ED%A0%80")
BODIES = (b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"[" * 20_000, b'{"a":' * 20_000, b'{"x": NaN}')
VALUES = ('"\\u0000"', '"\\ud800"', "1" + "0" * 400, "-1", "null", "{}", '"' + "x" * 100_000 + '"', str(["x"] * 10_001))
"""JSON texts, in the place of each property."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.target[:90]} {(self.body or b'')[:60]!r}"


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, ledgers: Ledgers) -> Iterator[httpx.Client]:
    """A client that may do everything there."""
    with a_ledger(ledgers) as engine, SERVICES[request.param](engine) as client:
        yield client


def hostile(document: dict[str, Any]) -> Iterator[Request]:
    """Of every operation: each part of the request spoilt in every way, the others as they may be."""
    for path, operations in document["paths"].items():
        for method in METHODS & operations.keys():
            operation, plain = operations[method], re.sub(r"\{[^}]+\}", "1", path)
            for value in SEGMENTS if "{" in path else ():
                yield Request(method, re.sub(r"\{[^}]+\}", lambda _, value=value: value, path))
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    yield from (Request(method, f"{plain}?{parameter['name']}={value}") for value in QUERIES)
            if "requestBody" in operation:
                yield from (Request(method, plain, body) for body in (*BODIES, *_spoilt(operation, document)))


def _spoilt(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[bytes]:
    """Every property at once, each of the same kind of nonsense."""
    schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    names = list(_resolved(schema, document).get("properties", {"x": {}}))
    for value in VALUES:
        yield ("{" + ", ".join(f"{json.dumps(name)}: {value}" for name in names) + "}").replace("'", '"').encode()


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def answered(client: http.client.HTTPConnection, request: Request, proof: str) -> tuple[int, bytes]:
    """Status and body; those of a stream are not waited for."""
    headers = {"Authorization": proof}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    client.request(request.method.upper(), request.target, body=request.body, headers=headers)
    answer = client.getresponse()
    if answer.headers.get_content_type() == "text/event-stream":
        client.close()
        return answer.status, b""
    return answer.status, answer.read()


def fault(status: int, body: bytes) -> str | None:
    if status >= 500:
        return f"{status}: {body[:200]!r}"
    if status < 400:
        return None
    try:
        told = json.loads(body)
    except ValueError:
        return f"{status} with a body that is no JSON: {body[:200]!r}"
    good = told.get("type") == "Error" and told.get("httpStatus") == status and told.get("label")
    return None if good else f"{status} without a label: {body[:200]!r}"


def test_no_request_is_answered_by_accident(service: httpx.Client) -> None:
    host, proof = service.base_url, service.headers["Authorization"]
    client = http.client.HTTPConnection(host.host, host.port, timeout=20)
    client.request("GET", "/openapi.json")
    document = json.loads(client.getresponse().read())
    requests = list(hostile(document))

    wrong = {str(request): told for request in requests if (told := fault(*answered(client, request, proof)))}

    assert len(requests) > 50
    assert wrong == {}
