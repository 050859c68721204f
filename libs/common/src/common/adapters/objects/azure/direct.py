"""Blobs without the SDK, under a signature of the account or the worker's own token."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from common.adapters.objects.answers import Answer
from common.adapters.objects.azure.client import identity
from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.azure.told import told_by_headers
from common.adapters.objects.reading import Found, Span, Translated, past_end
from common.adapters.objects.several import Way
from common.adapters.objects.wire import Asking, PastEnd, Told, Wire, quoted
from common.ports import ObjectInfo
from common.records import record

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_VALID = timedelta(hours=2)
_RENEWED_BEFORE = timedelta(hours=1)
_TOKEN_RENEWED_BEFORE = 300
"""Seconds."""
_SERVICE_VERSION = "2021-12-02"
"""Of Azure's protocol; ranges, blocks and versions are as they were since long before."""
_RIGHTS = "rcwl"
_AUDIENCE = "https://storage.azure.com/.default"
_NEW = {"If-None-Match": "*"}


@dataclass(slots=True)
class Access:
    """Leave to read and write the container's blobs: a query for the address, or a header. Thread-safe."""

    config: LocationConfig
    _query: str = ""
    _renewed_at: float = 0.0
    _identity: Any = None
    _token: str = ""
    _token_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def query(self) -> str:
        """A shared access signature; empty where the worker has an identity of its own."""
        if time.time() < self._renewed_at:
            return self._query
        if self.config.sas_token is not None:
            return self.config.sas_token.get_secret_value().lstrip("?")
        if self.config.account_key is None:
            return ""
        with self._lock:
            until = datetime.now(UTC) + _VALID
            self._query, self._renewed_at = self._signed(until), (until - _RENEWED_BEFORE).timestamp()
            return self._query

    def headers(self, what: str) -> dict[str, str]:
        """Raises StoreUnavailable, and AccessDenied, where the identity cannot be had now; `what` it is needed for."""
        if self.query():
            return {"x-ms-version": _SERVICE_VERSION}
        return {"x-ms-version": _SERVICE_VERSION, "Authorization": f"Bearer {self._bearer(what)}"}

    def _bearer(self, what: str) -> str:
        # Imported here: the SDK has the identity.
        from common.adapters.objects.azure.sdk_errors import translated

        with self._lock:
            if time.time() > self._token_until - _TOKEN_RENEWED_BEFORE:
                with translated(what):
                    self._identity = self._identity or identity(self.config)
                    found = self._identity.get_token(_AUDIENCE)
                self._token, self._token_until = found.token, found.expires_on
            return self._token

    def _signed(self, until: datetime) -> str:
        assert self.config.account_key is not None
        return signed_access(
            self.config.account_name or "",
            self.config.bucket,
            account_key=self.config.account_key.get_secret_value(),
            until=until,
        )


def signed_access(
    account: str, container: str, *, account_key: str, until: datetime, protocol: str = _SERVICE_VERSION
) -> str:
    """A shared access signature to list, read, create and write the container's blobs, as a query.

    The SDK makes the same one, and takes half a second of CPU to start; tests hold the two together.
    """
    expiry = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = (_RIGHTS, "", expiry, f"/blob/{account}/{container}", "", "", "", protocol, "c")
    to_sign = "\n".join(before) + "\n" * 7  # snapshot, encryption scope and the headers of answers: none of them set
    digest = hmac.digest(b64decode(account_key), to_sign.encode(), "sha256")
    facts = {"se": expiry, "sp": _RIGHTS, "sv": protocol, "sr": "c", "sig": b64encode(digest).decode()}
    return urlencode(facts)


@record
class Direct:
    """Thread-safe; never retries."""

    asking: Asking
    path: str
    """Of the container at its server, with a slash at the end."""
    access: Access

    @property
    def wire(self) -> Wire:
        return self.asking.wire

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        what = f"looking at {key}"
        told = self._ask(what, "HEAD", key, _pinned(version_id)).headers
        if "etag" not in told or "content-length" not in told:
            raise error_for(Answer(200), what=what)
        return told_by_headers(key, told)

    def get(self, key: str, span: Span, *, if_match: str | None, version_id: str | None) -> Found:
        (first, end), what = span or (0, None), f"reading {key}"
        target, headers = self._target(key, _pinned(version_id)), self._headers(what, if_match)
        try:
            told, size, blocks = self.asking.open(what, target, first=first, end=end, headers=headers)
        except PastEnd:
            return None
        return told_by_headers(key, told, size=size), Translated(blocks, lambda answer: error_for(answer, what=what))

    def fetch(self, key: str, into: memoryview, *, if_match: str | None, version_id: str | None) -> ObjectInfo | None:
        target, headers = self.to_read(key, if_match=if_match, version_id=version_id)
        told, size = self.asking.fetch(f"reading {key}", target, into, headers=headers)
        return None if size is None else read_info(key, told, size)

    def to_read(self, key: str, *, if_match: str | None, version_id: str | None) -> Way:
        """What asks for a blob. Raises StoreUnavailable and AccessDenied, where the worker's identity cannot be had."""
        return self._target(key, _pinned(version_id)), self._headers(f"reading {key}", if_match)

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        what = f"reading {key}"
        target, headers = self._target(key, _pinned(version_id)), self._headers(what, if_match)
        try:
            told, size = self.asking.read_into(what, target, into, first=first, headers=headers)
        except PastEnd:
            raise past_end(key=key, first=first, length=len(into)) from None
        return read_info(key, told, size)

    def list(self, what: str, query: Mapping[str, str], *, most: int) -> bytes:
        """A page of the container's list, cut behind `most` bytes."""
        target = _with_query(self.path.removesuffix("/"), query, self.access.query())
        return self.asking.ask(what, "GET", target, headers=self.access.headers(what), most=most).body

    def create(self, key: str, data: bytes | memoryview, headers: Mapping[str, str]) -> tuple[str, str | None]:
        """Make the blob if nothing has the name: its ETag, without quotes, and version."""
        what = f"creating {key}"
        target, allowed = self.to_create(key, headers)
        told = self.asking.ask(what, "PUT", target, data, headers=allowed, writing=True, twice=False)
        return made(told.headers, what)

    def to_create(self, key: str, headers: Mapping[str, str]) -> Way:
        """What makes a blob, if nothing has the name. Raises as `to_read` does."""
        allowed = self.access.headers(f"creating {key}")
        return self._target(key, {}), {**allowed, **headers, **_NEW, "x-ms-blob-type": "BlockBlob"}

    def put_block(self, key: str, block_id: str, data: bytes | memoryview) -> None:
        query = {"comp": "block", "blockid": b64encode(block_id.encode()).decode()}
        self._ask(f"uploading block {block_id} of {key}", "PUT", key, query, data)

    def commit(self, key: str, block_ids: Sequence[str], headers: Mapping[str, str]) -> tuple[str, str | None]:
        """Make the blob of these blocks, if nothing has the name: its ETag, without quotes, and version."""
        listed = "".join(f"<Latest>{b64encode(name.encode()).decode()}</Latest>" for name in block_ids)
        data = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        what, headers = f"committing {key}", {**headers, **_NEW, "Content-Type": "application/xml"}
        told = self._ask(what, "PUT", key, {"comp": "blocklist"}, data, headers, writing=True, twice=False).headers
        return made(told, what)

    def _ask(
        self,
        what: str,
        method: str,
        key: str,
        query: Mapping[str, str],
        data: bytes | memoryview | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        writing: bool = False,
        twice: bool = True,
    ) -> Told:
        allowed = {**self.access.headers(what), **(headers or {})}
        target = self._target(key, query)
        return self.asking.ask(what, method, target, data, headers=allowed, writing=writing, twice=twice)

    def _headers(self, what: str, if_match: str | None) -> dict[str, str]:
        allowed = self.access.headers(what)
        return allowed if if_match is None else {**allowed, "If-Match": f'"{if_match}"'}

    def _target(self, key: str, facts: Mapping[str, str]) -> str:
        return _with_query(f"{self.path}{quoted(key)}", facts, self.access.query())


def new_blob(
    content_type: str | None, metadata: Mapping[str, str], access_tier: str | None, content_md5: bytes | None = None
) -> dict[str, str]:
    """What a new blob is like, as headers."""
    headers = {f"x-ms-meta-{name}": value for name, value in metadata.items()}
    if content_type:
        headers["x-ms-blob-content-type"] = content_type
    if content_md5 is not None:
        headers["x-ms-blob-content-md5"] = b64encode(content_md5).decode()
    if access_tier:
        headers["x-ms-access-tier"] = access_tier
    return headers


def _with_query(path: str, facts: Mapping[str, str], allowed: str) -> str:
    if facts:
        said = urlencode(facts, quote_via=quote)
        allowed = f"{said}&{allowed}" if allowed else said
    return f"{path}?{allowed}" if allowed else path


def made(told: Mapping[str, str], what: str) -> tuple[str, str | None]:
    """ETag, without quotes, and version of a new blob by the answer's headers."""
    if "etag" not in told:
        raise error_for(Answer(200), what=what, writing=True)
    return told["etag"].strip('"'), told.get("x-ms-version-id")


def read_info(key: str, told: Mapping[str, str], size: int) -> ObjectInfo:
    """Of a blob that was read."""
    return ObjectInfo(
        key=key,
        size=size,
        etag=told.get("etag", "").strip('"'),
        version_id=told.get("x-ms-version-id"),
        content_type=told.get("content-type"),
    )


def _pinned(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"versionid": version_id}
