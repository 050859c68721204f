"""Parts of large blobs: the bytes take the short way, under a signature of the account or the worker's own token."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from common.adapters.objects.azure.client import identity
from common.adapters.objects.azure.control import Control
from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.azure.sdk_errors import translated
from common.adapters.objects.reading import past_end
from common.adapters.objects.wire import Refusal, Wire
from common.ports import ObjectInfo

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_VALID = timedelta(hours=2)
_RENEWED_BEFORE = timedelta(hours=1)
_SERVICE_VERSION = "2021-12-02"
"""Of Azure's protocol; ranges, blocks and versions are as they were since long before."""
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

    def headers(self) -> dict[str, str]:
        """Raises azure-core's errors where the identity cannot be had now."""
        if self.query():
            return {"x-ms-version": _SERVICE_VERSION}
        with self._lock:
            self._identity = self._identity or identity(self.config)
            token = self._identity.get_token(_AUDIENCE).token
        return {"x-ms-version": _SERVICE_VERSION, "Authorization": f"Bearer {token}"}

    def _signed(self, until: datetime) -> str:
        assert self.config.account_key is not None
        return generate_container_sas(
            self.config.account_name or "",
            self.config.bucket,
            account_key=self.config.account_key.get_secret_value(),
            permission=ContainerSasPermissions(read=True, write=True, create=True),
            expiry=until,
        )


@dataclass(frozen=True, slots=True)
class Direct:
    """Thread-safe; never retries."""

    control: Control
    access: Access
    wire: Wire

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        what = f"reading {key}"
        headers = self._headers(what) | ({} if if_match is None else {"If-Match": f'"{if_match}"'})
        url = self._url(key, {} if version_id is None else {"versionid": version_id})
        try:
            told, size = self.wire.read_into(url, into, first=first, headers=headers)
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
        what = f"uploading block {block_id} of {key}"
        url = self._url(key, {"comp": "block", "blockid": b64encode(block_id.encode()).decode()})
        try:
            self.wire.put(url, data, headers=self._headers(what))
        except Refusal as refusal:
            raise error_for(refusal.answer, what=what) from None

    def _headers(self, what: str) -> dict[str, str]:
        with translated(what):
            return self.access.headers()

    def _url(self, key: str, facts: dict[str, str]) -> str:
        bare = self.control.client.get_blob_client(key).url.partition("?")[0]
        query = "&".join(part for part in (urlencode(facts), self.access.query()) if part)
        return f"{bare}?{query}" if query else bare
