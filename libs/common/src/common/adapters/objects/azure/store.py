"""ObjectStore over one Azure container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from common.adapters.objects.azure import names
from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.direct import made, new_blob, read_info
from common.adapters.objects.reading import opened
from common.adapters.objects.several import create_several, fetch_several, lower_case
from common.adapters.objects.wire import can_send
from common.errors import NameNotAllowed
from common.ports import (
    AllCreated,
    AllFetched,
    Body,
    GoingOn,
    Limits,
    New,
    ObjectInfo,
    PendingUpload,
    Upload,
    Wanted,
    always,
)
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

    @property
    def takes_several(self) -> bool:
        return True

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        direct = self.connection.direct
        return fetch_several(
            direct.asking,
            wanted,
            to_read=direct.to_read,
            info=read_info,
            at_once=at_once,
            going_on=going_on,
        )

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
        new = New(key, data, content_type, lower_case(metadata))
        headers = self._described(new)
        if can_send(headers):
            return self._made(new, *self.connection.direct.create(key, data, headers))
        return self._made(new, *self.connection.control.put(key, data, content_type, new.metadata or {}))

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        direct = self.connection.direct
        return create_several(
            direct.asking,
            new,
            described=self._described,
            fault=self.name_fault,
            to_create=direct.to_create,
            made=lambda one, told: self._made(one, *made(told, f"creating {one.key}")),
            at_once=at_once,
        )

    def _described(self, new: New) -> dict[str, str]:
        return new_blob(new.content_type, lower_case(new.metadata), self.connection.access_tier)

    def _made(self, new: New, etag: str, version_id: str | None) -> ObjectInfo:
        return ObjectInfo(
            key=new.key,
            size=len(new.data),
            etag=etag,
            version_id=version_id,
            storage_class=self.connection.access_tier,
            content_type=new.content_type,
            metadata=lower_case(new.metadata),
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
