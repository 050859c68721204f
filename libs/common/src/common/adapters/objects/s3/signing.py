"""AWS Signature Version 4 in the headers of a request, by the standard library.

botocore signs as well, but takes a quarter of a second to start and ten times as long for each request; tests hold the
two together.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

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
        who, moment = self.credentials(), _written(int(self.clock()))
        added = {"x-amz-content-sha256": _PAYLOAD, "x-amz-date": moment}
        if who.session_token is not None:
            added["x-amz-security-token"] = who.session_token
        told = {"host": host, **added}
        for name, value in headers.items():
            told[name.lower()] = " ".join(value.split())
        names = sorted(told)
        path, _, query = target.partition("?")
        lines = "".join([f"{name}:{told[name]}\n" for name in names])
        listed = ";".join(names)
        asked = f"{method}\n{path}\n{query}\n{lines}\n{listed}\n{_PAYLOAD}"
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
        signature = _keyed(who.secret_access_key, scope).copy()
        signature.update(to_sign.encode())
        added["Authorization"] = (
            f"{_ALGORITHM} Credential={who.access_key_id}/{scope}, SignedHeaders={listed},"
            f" Signature={signature.hexdigest()}"
        )
        return {**added, **headers}


@lru_cache(maxsize=4)
def _written(second: int) -> str:
    """A moment as signatures have it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


@lru_cache(maxsize=32)
def _keyed(secret: str, scope: str) -> hmac.HMAC:
    """What signs for a day; to be copied."""
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.new(key, digestmod=sha256)
