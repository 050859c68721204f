"""ObjectStore over one S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.adapters.objects.obstore_answers import RESERVED_ATTRIBUTES, can_name
from common.adapters.objects.reading import fetched, opened
from common.adapters.objects.s3.client import Connection
from common.errors import NameNotAllowed
from common.ports import Body, Fetched, Limits, ObjectInfo, PendingUpload, Upload

if TYPE_CHECKING:
    from common.adapters.objects.s3.upload import Uploads

_LIMITS = Limits(
    max_single_put=5 * 2**30, min_part=5 * 2**20, max_part=5 * 2**30, max_parts=10_000, max_object=50 * 2**40
)


@dataclass(frozen=True, slots=True)
class S3Store:
    """Never retries. Keys that obstore would change go through boto3."""

    connection: Connection

    @property
    def limits(self) -> Limits:
        return _LIMITS

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        return self.connection.control.list(prefix=prefix, start_after=start_after)

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
        room = self.connection.bytes if can_name(key) else self.connection.control
        return opened(
            key=key,
            first=first,
            length=length,
            if_match=if_match,
            get=lambda span: room.get(key, span, if_match=if_match, version_id=version_id),
            head=lambda: self.connection.direct.head(key, version_id),
        )

    def fetch(
        self, *, key: str, most: int, if_match: str | None = None, version_id: str | None = None
    ) -> Fetched | None:
        if can_name(key):
            return self.connection.bytes.fetch(key, most=most, if_match=if_match, version_id=version_id)
        return fetched(self.read(key=key, if_match=if_match, version_id=version_id), most=most)

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
        names = {name.lower(): value for name, value in (metadata or {}).items()}
        if can_name(key) and not names.keys() & RESERVED_ATTRIBUTES:
            etag, version = self.connection.bytes.put(key, data, self._attributes(content_type, names))
        else:
            etag, version = self.connection.control.put(key, data, content_type, names)
        return ObjectInfo(
            key=key,
            size=len(data),
            etag=etag,
            version_id=version,
            storage_class=self.connection.config.storage_class,
            content_type=content_type,
            metadata=names,
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        return self._uploads.begin(key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,  # noqa: ARG002 - S3 keeps it since the upload began
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return self._uploads.resume(key=key, upload_id=upload_id)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return self._uploads.pending(prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        if not key:
            return "a key must not be empty"
        if "\0" in key:
            return "a key must not hold NUL"
        size = len(key.encode())
        return f"S3 keys hold at most 1,024 bytes of UTF-8, this has {size:,}" if size > 1024 else None

    def _check_name(self, key: str) -> None:
        if fault := self.name_fault(key):
            raise NameNotAllowed(f"{key!r}: {fault}")

    @property
    def _uploads(self) -> Uploads:
        # Imported here: only large objects need it.
        from common.adapters.objects.s3.upload import Uploads

        return Uploads(self.connection)

    def _attributes(self, content_type: str | None, metadata: dict[str, str]) -> dict[str, str]:
        """What a new object is like, as obstore takes it: headers beside metadata."""
        attributes = dict(metadata)
        if content_type is not None:
            attributes["Content-Type"] = content_type
        if self.connection.config.storage_class is not None:
            attributes["Storage-Class"] = self.connection.config.storage_class
        return attributes
