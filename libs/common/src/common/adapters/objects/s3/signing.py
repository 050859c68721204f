"""AWS Signature Version 4 in the headers of a request, by the standard library.

botocore signs as well, but takes a quarter of a second to start and ten times as long for each request; tests hold the
two together.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from common.records import record

if TYPE_CHECKING:
    from hashlib import _Hash

_MOST_FORMS = 128
_ALGORITHM = "AWS4-HMAC-SHA256"
_PAYLOAD = "UNSIGNED-PAYLOAD"
"""TLS protects it; without TLS the read-back does. Hashing it once more costs half the CPU."""


@record
class Credentials:
    """Who asks."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@record
class Signer:
    """Signs requests to one region's S3. Thread-safe."""

    region: str
    credentials: Callable[[], Credentials]
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""
    _forms: dict[tuple[str, ...], _Form] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The last one by the headers' names."""

    def signed(self, method: str, target: str, *, host: str, headers: Mapping[str, str]) -> dict[str, str]:
        """`headers` and those that sign them: for one method, host and target. The payload is free.

        `target` is the quoted path, and after a question mark the query, quoted and sorted.
        Raises what `credentials` does.
        """
        who = self.credentials()
        names, second = tuple(headers), int(self.clock())
        form = self._forms.get(names)
        if form is None or form.second != second or form.host != host or not (form.who is who or form.who == who):
            if len(self._forms) > _MOST_FORMS:
                self._forms.clear()
            form = self._forms[names] = _form(who, self.region, second, host, names)
        path, _, query = target.partition("?")
        values = [" ".join(value.split()) for value in headers.values()]
        lines = form.lines % tuple([values[place] for place in form.places])
        asked = sha256(f"{method}\n{path}\n{query}\n{lines}".encode())
        inner, outer = form.inner.copy(), form.outer.copy()
        inner.update(f"{form.before}{asked.hexdigest()}".encode())
        outer.update(inner.digest())
        return {**form.added, "Authorization": form.proof + outer.hexdigest(), **headers}


class _Form(NamedTuple):
    """What all signatures of a second, for one host and headers of the same names, have in common."""

    who: Credentials
    second: int
    host: str

    lines: str
    """What follows the query, with room for the headers' values."""
    places: list[int]
    """Where the values are among those given, by name."""
    before: str
    """What is signed, up to the request."""
    inner: _Hash
    outer: _Hash
    """The two hashes of HMAC (RFC 2104) when they have seen the day's key; to be copied."""
    proof: str
    """Up to the signature."""
    added: dict[str, str]
    """Headers, but for the proof."""


def _form(who: Credentials, region: str, second: int, host: str, names: tuple[str, ...]) -> _Form:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    added = {"x-amz-content-sha256": _PAYLOAD, "x-amz-date": moment}
    if who.session_token is not None:
        added["x-amz-security-token"] = who.session_token
    told = {name: _unformatted(value) for name, value in {"host": host, **added}.items()}
    ordered = sorted([*told, *[name.lower() for name in names]])
    listed = ";".join(ordered)
    lines = "".join(f"{_unformatted(name)}:{told.get(name, '%s')}\n" for name in ordered)
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    key = _key(who.secret_access_key, scope)
    return _Form(
        who=who,
        second=second,
        host=host,
        lines=f"{lines}\n{_unformatted(listed)}\n{_PAYLOAD}",
        places=sorted(range(len(names)), key=lambda place: names[place].lower()),
        before=f"{_ALGORITHM}\n{moment}\n{scope}\n",
        inner=_begun(key, 0x36),
        outer=_begun(key, 0x5C),
        proof=f"{_ALGORITHM} Credential={who.access_key_id}/{scope}, SignedHeaders={listed}, Signature=",
        added=added,
    )


@lru_cache(maxsize=16)
def _key(secret: str, scope: str) -> bytes:
    """Of a day."""
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _begun(key: bytes, padding: int) -> _Hash:
    """`hmac.HMAC` does the same, and takes half as long again for each signature."""
    return sha256(bytes(byte ^ padding for byte in key.ljust(64, b"\0")))


def _unformatted(text: str) -> str:
    return text.replace("%", "%%")
