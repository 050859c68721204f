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
        names, second = tuple(headers), int(self.clock())
        form = _form(who.access_key_id, who.secret_access_key, who.session_token, self.region, second, host, names)
        path, _, query = target.partition("?")
        lines = form.lines % form.order([" ".join(value.split()) for value in headers.values()])
        asked = sha256(f"{method}\n{path}\n{query}\n{lines}".encode())
        signature = form.key.copy()
        signature.update(f"{form.before}{asked.hexdigest()}".encode())
        return {**form.added, "Authorization": form.proof + signature.hexdigest(), **headers}


class _Form(NamedTuple):
    """What all signatures of a second, for one host and headers of the same names, have in common."""

    lines: str
    """What follows the query, with room for the headers' values."""
    order: Callable[[Sequence[str]], tuple[str, ...]]
    """Their values as they were given → by name."""
    before: str
    """What is signed, up to the request."""
    key: hmac.HMAC
    """To be copied."""
    proof: str
    """Up to the signature."""
    added: dict[str, str]
    """Headers, but for the proof."""


@lru_cache(maxsize=128)
def _form(
    key_id: str, secret: str, token: str | None, region: str, second: int, host: str, names: tuple[str, ...]
) -> _Form:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    added = {"x-amz-content-sha256": _PAYLOAD, "x-amz-date": moment}
    if token is not None:
        added["x-amz-security-token"] = token
    told = {name: _unformatted(value) for name, value in {"host": host, **added}.items()}
    ordered = sorted([*told, *[name.lower() for name in names]])
    listed = ";".join(ordered)
    lines = "".join(f"{_unformatted(name)}:{told.get(name, '%s')}\n" for name in ordered)
    places = sorted(range(len(names)), key=lambda place: names[place].lower())
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    return _Form(
        lines=f"{lines}\n{_unformatted(listed)}\n{_PAYLOAD}",
        order=lambda values: tuple([values[place] for place in places]),
        before=f"{_ALGORITHM}\n{moment}\n{scope}\n",
        key=hmac.new(_key(secret, scope), digestmod=sha256),
        proof=f"{_ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={listed}, Signature=",
        added=added,
    )


@lru_cache(maxsize=16)
def _key(secret: str, scope: str) -> bytes:
    """Of a day."""
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _unformatted(text: str) -> str:
    return text.replace("%", "%%")
