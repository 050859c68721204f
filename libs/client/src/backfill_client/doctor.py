"""What can be told about a deployment from outside: whether its APIs answer, and whom they let in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal

import httpx

from backfill_client.errors import ApiRefused, BackfillClientError
from backfill_client.models import Answer
from backfill_client.trust import trusted

SERVICES = (
    "ingests_api",
    "bag_warmer",
    "backfill_replicator",
    "verifier",
    "replica_aggregator",
    "bag_register",
)
_OFF, _WRONG = 30, 300
"""Seconds between two clocks: above the first a warning, above the second tokens are refused."""
_PATIENCE = 300
"""Seconds for all probes of one service."""


class Finding(Answer):
    """The answer to one question."""

    of: str
    """Who was asked: "ingests API", "bag register", or a service."""
    probe: str
    verdict: Literal["ok", "warning", "failed"]
    message: str = ""
    remedy: str = ""


def api_findings(
    of: str, address: str, auth: httpx.Auth | None, scopes: Mapping[str, tuple[str, str]]
) -> Iterator[Finding]:
    """Whether an API is there, ready and of this release, agrees about the time, and lets the caller in.

    `scopes`: for each, method and path of a request that needs it and changes nothing.
    """
    with httpx.Client(base_url=address, timeout=10, follow_redirects=True, verify=trusted()) as http:
        try:
            ready = http.get("/readyz")
        except (httpx.TransportError, httpx.InvalidURL) as error:
            told = f"{address} cannot be reached: {str(error) or type(error).__name__}"
            yield Finding(of=of, probe="reached", verdict="failed", message=told, remedy=_START)
            return
        yield from _health(of, address, ready)
        if ready.status_code == 200:
            yield from _release(of, http)
            for scope, (method, path) in scopes.items():
                yield _scope(of, http, auth, scope, method, path)


_START = "Is the service running? Name its address with --api and --register-api."


def _health(of: str, address: str, ready: httpx.Response) -> Iterator[Finding]:
    try:
        problems = dict(ready.json()["problems"])
    except (ValueError, KeyError, TypeError):
        told = f"{address} answers {ready.status_code} {ready.reason_phrase}, and not as Backfill does"
        yield Finding(of=of, probe="ready", verdict="failed", message=told, remedy=_START)
        return
    if problems:
        told = "; ".join(f"{what}: {why}" for what, why in problems.items())
        yield Finding(of=of, probe="ready", verdict="failed", message=told, remedy="It comes back when that does.")
    else:
        yield Finding(of=of, probe="ready", verdict="ok", message=address)
    if (theirs := server_time(ready.headers)) is not None:
        yield _clock(of, theirs)


def server_time(headers: httpx.Headers) -> datetime | None:
    """What an answer is dated; of several dates the last, which is the service's own where a proxy puts its in front.

    None where it has none, or none that can be read.
    """
    try:
        theirs = parsedate_to_datetime(headers.get_list("date")[-1])
    except (IndexError, ValueError):
        return None
    return theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)


def _clock(of: str, theirs: datetime) -> Finding:
    off = abs((theirs - datetime.now(UTC)).total_seconds())
    if off <= _OFF:
        return Finding(of=of, probe="clock", verdict="ok", message=f"differs by {off:.0f} s at most")
    return Finding(
        of=of,
        probe="clock",
        verdict="failed" if off > _WRONG else "warning",
        message=f"differs from this machine's by {off:.0f} s",
        remedy="Set the clock that is wrong, and keep both right with NTP.",
    )


def _release(of: str, http: httpx.Client) -> Iterator[Finding]:
    """A server that does not say is asked no further."""
    answer = http.get("/openapi.json")
    if answer.status_code != 200:
        return
    theirs, ours = str(answer.json()["info"]["version"]), version("backfill-client")
    if theirs in (ours, "unreleased", "0"):
        yield Finding(of=of, probe="release", verdict="ok", message=theirs)
        return
    told = f"the service is {theirs}, this client {ours}"
    yield Finding(of=of, probe="release", verdict="warning", message=told, remedy="Upgrade the older one.")


def _scope(of: str, http: httpx.Client, auth: httpx.Auth | None, scope: str, method: str, path: str) -> Finding:
    """Only 401 and 403 say that the caller may not; any other answer came from behind the door."""
    probe = f"scope {scope}"
    try:
        status = http.request(method, path, auth=auth, json={} if method == "POST" else None).status_code
    except ApiRefused as error:
        told = f"{error.label}: {error.description}"
        return Finding(of=of, probe=probe, verdict="failed", message=told, remedy=_WHO)
    except (BackfillClientError, httpx.TransportError) as error:
        return Finding(of=of, probe=probe, verdict="failed", message=str(error), remedy=_START)
    if status == 401:
        told = "you are not let in: no credentials, or ones that are not known"
        return Finding(of=of, probe=probe, verdict="failed", message=told, remedy=_WHO)
    if status == 403:
        remedy = f"If you need it, ask an operator: backfill clients create NAME --scope {scope}"
        return Finding(of=of, probe=probe, verdict="warning", message="you do not have it", remedy=remedy)
    if status >= 500:
        return Finding(of=of, probe=probe, verdict="failed", message=f"answered {status}", remedy="See its log.")
    return Finding(of=of, probe=probe, verdict="ok")


_WHO = "Set BACKFILL_CREDENTIALS, BACKFILL_CLIENT_ID and BACKFILL_CLIENT_SECRET, or BACKFILL_API_KEY."


def local_findings(services: Sequence[str], destinations: Sequence[str]) -> Iterator[Finding]:
    """What `python -m <service> check` says of each service, with this environment; of all installed here if none is
    named."""
    installed = [service for service in services or SERVICES if find_spec(service)]
    if not installed:
        remedy = "Run `python -m <service> check` where each service runs."
        yield Finding(of="services", probe="installed", verdict="failed", message="none is here", remedy=remedy)
    for service in installed:
        yield from _service(service, destinations)


def _service(service: str, destinations: Sequence[str]) -> Iterator[Finding]:
    words = [word for one in destinations for word in ("--destination", one)]
    command = [sys.executable, "-m", service, "check", "--output", "json", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        findings = json.loads(done.stdout)["findings"]
    except subprocess.TimeoutExpired:
        told = f"its check did not end within {_PATIENCE} s"
        yield Finding(of=service, probe="check", verdict="failed", message=told, remedy=f"Try: {' '.join(command)}")
        return
    except (ValueError, KeyError):
        yield Finding(of=service, probe="check", verdict="failed", message=done.stderr.strip()[-2000:])
        return
    for one in findings:
        yield Finding.model_validate({"of": service} | one)
