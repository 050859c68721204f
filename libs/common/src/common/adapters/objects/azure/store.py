"""ObjectStore over one Azure container."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from common.adapters.objects.azure import names
from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.direct import new_blob
from common.adapters.objects.reading import opened
from common.adapters.objects.wire import can_send
from common.errors import NameNotAllowed
from common.ports import Body, Limits, ObjectInfo, PendingUpload, Upload
from common.records import record

if TYPE_CHECKING:
    from common.adapters.objects.azure.upload import Uploads

_BLOCKS = 50_000
_LIMITS = Limits(
    max_single_put=5000 * 2**20,
    min_part=1,
    max_part=4000 * 2**20,
    max_parts=_BLOCKS,
    max_object=4000 * 2**20 * _BLOCKS,
)


@record
class AzureStore:
    """Never retries. Labels that headers cannot say as they are go through the SDK."""

    connection: Connection

    @property
    def limits(self) -> Limits:
        return _LIMITS

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        return self.connection.listing.list(prefix=prefix, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        return self.connection.direct.head(key)

    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AbstractContextManager[Body]:
        direct = self.connection.direct
        return opened(
            key=key,
            first=first,
            length=length,
            if_match=if_match,
            get=lambda span: direct.get(key, span, if_match=if_match, version_id=version_id),
            head=lambda: direct.head(key, version_id),
        )

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        return self.connection.direct.fetch(key, into, if_match=if_match, version_id=version_id)

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        return self.connection.direct.read_into(key, into, first=first, if_match=if_match, version_id=version_id)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        self._check_name(key)
        kept = {name.lower(): value for name, value in (metadata or {}).items()}
        headers = new_blob(content_type, kept, self.connection.access_tier)
        if can_send(headers):
            etag, version = self.connection.direct.create(key, data, headers)
        else:
            etag, version = self.connection.control.put(key, data, content_type, kept)
        return ObjectInfo(
            key=key,
            size=len(data),
            etag=etag,
            version_id=version,
            storage_class=self.connection.access_tier,
            content_type=content_type,
            metadata=kept,
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        return self._uploads.begin(key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        return self._uploads.resume(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return self._uploads.pending(prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        return names.name_fault(key)

    def _check_name(self, key: str) -> None:
        if fault := self.name_fault(key):
            raise NameNotAllowed(f"{key!r}: {fault}")

    @property
    def _uploads(self) -> Uploads:
        # Imported here: only large objects need it.
        from common.adapters.objects.azure.upload import Uploads

        return Uploads(self.connection)
