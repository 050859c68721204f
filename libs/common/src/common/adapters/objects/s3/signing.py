"""AWS Signature Version 4 in the headers of a request, by the standard library.

botocore signs as well, but takes a quarter of a second to start and ten times as long for each request; tests hold the
two together.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"
_PAYLOAD = "UNSIGNED-PAYLOAD"
"""TLS protects it; without TLS the read-back does. Hashing it once more costs half the CPU."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests to one region's S3. Thread-safe."""

    region: str
    credentials: Callable[[], Credentials]
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""

    def signed(self, method: str, target: str, *, host: str, headers: Mapping[str, str]) -> dict[str, str]:
        """`headers` and those that sign them: for one method, host and target. The payload is free.

        `target` is the quoted path, and after a question mark the query, quoted and sorted.
        Raises what `credentials` does.
        """
        who = self.credentials()
        today = _today(who.access_key_id, who.secret_access_key, self.region, int(self.clock()))
        token = who.session_token
        form = _form(tuple(headers), token is not None)
        told = [host, _PAYLOAD, today.moment, *[" ".join(value.split()) for value in headers.values()]]
        if token is not None:
            told.append(token)
        path, _, query = target.partition("?")
        asked = f"{method}\n{path}\n{query}\n{form.lines % form.order(told)}"
        signature = today.key.copy()
        signature.update(f"{today.before}{sha256(asked.encode()).hexdigest()}".encode())
        added = {"x-amz-content-sha256": _PAYLOAD, "x-amz-date": today.moment}
        if token is not None:
            added["x-amz-security-token"] = token
        added["Authorization"] = f"{today.proof}, SignedHeaders={form.listed}, Signature={signature.hexdigest()}"
        added.update(headers)
        return added


class _Form(NamedTuple):
    """How headers of some names are signed."""

    lines: str
    """What follows the query, with room for the values."""
    order: Callable[[Sequence[str]], tuple[str, ...]]
    """The values of host, payload, date, all headers and the token → by name."""
    listed: str


@lru_cache(maxsize=64)
def _form(names: tuple[str, ...], signs_token: bool) -> _Form:
    told = ["host", "x-amz-content-sha256", "x-amz-date", *[name.lower() for name in names]]
    if signs_token:
        told.append("x-amz-security-token")
    order = sorted(range(len(told)), key=told.__getitem__)
    ordered = [told[place] for place in order]
    listed = ";".join(ordered)
    lines = "".join(f"{name.replace('%', '%%')}:%s\n" for name in ordered)
    return _Form(f"{lines}\n{listed.replace('%', '%%')}\n{_PAYLOAD}", itemgetter(*order), listed)


class _Today(NamedTuple):
    """What all signatures of a second have in common."""

    moment: str
    before: str
    """What is signed, up to the request."""
    proof: str
    key: hmac.HMAC
    """To be copied."""


@lru_cache(maxsize=32)
def _today(key_id: str, secret: str, region: str, second: int) -> _Today:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return _Today(
        moment,
        f"{_ALGORITHM}\n{moment}\n{scope}\n",
        f"{_ALGORITHM} Credential={key_id}/{scope}",
        hmac.new(key, digestmod=sha256),
    )
