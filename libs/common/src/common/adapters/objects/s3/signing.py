"""AWS Signature Version 4 in the query of an address, by the standard library.

For the requests of large objects alone. botocore signs as well, but takes longer to start than a hundred parts to send,
and ten times as long for each; tests hold the two together.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import SplitResult, quote, urlsplit

VALID = 3600
"""Seconds in which a request with the address must begin."""
_ALGORITHM = "AWS4-HMAC-SHA256"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs addresses of one region's S3. Thread-safe."""

    region: str
    credentials: Callable[[], Credentials]
    clock: Callable[[], datetime] = _now

    def signed(self, method: str, url: str, *, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        """`url` with `query` and a signature. It holds for one method and just these headers; the payload is free.

        `url` has no query, and its path is quoted. Raises what `credentials` does.
        """
        who, moment = self.credentials(), self.clock().strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        place = urlsplit(url)
        sent = {"host": _host(place)} | {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        names = ";".join(sorted(sent))
        facts = {
            **query,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{who.access_key_id}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(VALID),
            "X-Amz-SignedHeaders": names,
        }
        if who.session_token is not None:
            facts["X-Amz-Security-Token"] = who.session_token
        line = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(facts.items()))
        told = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
        asked = f"{method}\n{place.path or '/'}\n{line}\n{told}\n{names}\nUNSIGNED-PAYLOAD"
        to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
        return f"{url}?{line}&X-Amz-Signature={_signature(who, scope, to_sign)}"


def _signature(who: Credentials, scope: str, to_sign: str) -> str:
    key = f"AWS4{who.secret_access_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _host(place: SplitResult) -> str:
    """As the request's header names it: without the port that goes without saying."""
    host = place.hostname or ""
    named = f"[{host}]" if ":" in host else host
    return named if place.port in (None, _PORTS.get(place.scheme)) else f"{named}:{place.port}"
