"""Large blobs without the SDK, under a signature of the account or the worker's own token."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from common.adapters.objects.azure.client import identity
from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.azure.told import told_by_headers
from common.adapters.objects.obstore_answers import Answer
from common.adapters.objects.reading import past_end
from common.adapters.objects.wire import Refusal, Told, Wire
from common.ports import ObjectInfo

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_VALID = timedelta(hours=2)
_RENEWED_BEFORE = timedelta(hours=1)
_SERVICE_VERSION = "2021-12-02"
"""Of Azure's protocol; ranges, blocks and versions are as they were since long before."""
_RIGHTS = "rcw"
_AUDIENCE = "https://storage.azure.com/.default"


@dataclass(slots=True)
class Access:
    """Leave to read and write the container's blobs: a query for the address, or a header. Thread-safe."""

    config: LocationConfig
    _query: str = ""
    _until: datetime | None = None
    _identity: Any = None
    _lock: Lock = field(default_factory=Lock)

    def query(self) -> str:
        """A shared access signature; empty where the worker has an identity of its own."""
        if self.config.sas_token is not None:
            return self.config.sas_token.get_secret_value().lstrip("?")
        if self.config.account_key is None:
            return ""
        with self._lock:
            now = datetime.now(UTC)
            if self._until is None or self._until - now < _RENEWED_BEFORE:
                self._until = now + _VALID
                self._query = self._signed(self._until)
            return self._query

    def headers(self, what: str) -> dict[str, str]:
        """Raises StoreUnavailable, and AccessDenied, where the identity cannot be had now; `what` it is needed for."""
        version = {"x-ms-version": _SERVICE_VERSION}
        return version if self.query() else version | {"Authorization": f"Bearer {self._token(what)}"}

    def _token(self, what: str) -> str:
        from common.adapters.objects.azure.sdk_errors import translated

        with self._lock, translated(what):
            self._identity = self._identity or identity(self.config)
            token: str = self._identity.get_token(_AUDIENCE).token
        return token

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
    """A shared access signature to read, create and write the container's blobs, as a query.

    The SDK makes the same one, and takes half a second of CPU to start; tests hold the two together.
    """
    expiry = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = (_RIGHTS, "", expiry, f"/blob/{account}/{container}", "", "", "", protocol, "c")
    to_sign = "\n".join(before) + "\n" * 7  # snapshot, encryption scope and the headers of answers: none of them set
    digest = hmac.digest(b64decode(account_key), to_sign.encode(), "sha256")
    facts = {"se": expiry, "sp": _RIGHTS, "sv": protocol, "sr": "c", "sig": b64encode(digest).decode()}
    return urlencode(facts)


@dataclass(frozen=True, slots=True)
class Direct:
    """Thread-safe; never retries."""

    container: str
    """Its address, without a slash at the end."""
    access: Access
    wire: Wire

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        what = f"looking at {key}"
        told = self._ask(what, "HEAD", key, _pinned(version_id)).headers
        if "ETag" not in told or "Content-Length" not in told:
            raise error_for(Answer(200), what=what)
        return told_by_headers(key, dict(told.items()))

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        what = f"reading {key}"
        headers = self.access.headers(what) | ({} if if_match is None else {"If-Match": f'"{if_match}"'})
        try:
            told, size = self.wire.read_into(self._url(key, _pinned(version_id)), into, first=first, headers=headers)
        except Refusal as refusal:
            if refusal.answer.status == 416:
                raise past_end(key=key, first=first, length=len(into)) from None
            raise error_for(refusal.answer, what=what) from None
        return ObjectInfo(
            key=key,
            size=size,
            etag=told.get("ETag", "").strip('"'),
            version_id=told.get("x-ms-version-id"),
            content_type=told.get("Content-Type"),
        )

    def put_block(self, key: str, block_id: str, data: bytes | memoryview) -> None:
        query = {"comp": "block", "blockid": b64encode(block_id.encode()).decode()}
        self._ask(f"uploading block {block_id} of {key}", "PUT", key, query, data)

    def commit(self, key: str, block_ids: Sequence[str], headers: Mapping[str, str]) -> tuple[str, str | None]:
        """Make the blob of these blocks, if nothing has the name: its ETag, without quotes, and version."""
        listed = "".join(f"<Latest>{b64encode(name.encode()).decode()}</Latest>" for name in block_ids)
        data = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        what, headers = f"committing {key}", {**headers, "Content-Type": "application/xml", "If-None-Match": "*"}
        told = self._ask(what, "PUT", key, {"comp": "blocklist"}, data, headers, writing=True).headers
        return told.get("ETag", "").strip('"'), told.get("x-ms-version-id")

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
    ) -> Told:
        try:
            allowed = self.access.headers(what) | dict(headers or {})
            return self.wire.ask(method, self._url(key, query), data, headers=allowed)
        except Refusal as refusal:
            raise error_for(refusal.answer, what=what, writing=writing) from None

    def _url(self, key: str, facts: Mapping[str, str]) -> str:
        query = "&".join(part for part in (urlencode(facts), self.access.query()) if part)
        bare = f"{self.container}/{quote(key, safe='~/')}"
        return f"{bare}?{query}" if query else bare


def _pinned(version_id: str | None) -> dict[str, str]:
    return {} if version_id is None else {"versionid": version_id}
