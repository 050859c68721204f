"""A multipart upload: over the wire where that can be, through boto3 where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.direct import new_object
from common.adapters.objects.wire import can_send
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload


@dataclass(frozen=True, slots=True)
class S3Upload:
    """Upload over one upload id of S3."""

    connection: Connection
    key: str
    id: str

    def put_part(
        self,
        number: int,
        data: bytes | memoryview,
        *,
        mark: str = "",  # noqa: ARG002 - S3 tells MD5s, or sends its parts again
    ) -> PartReceipt:
        room = self.connection.boto_uploads if self.connection.config.checksums else self.connection.direct
        return room.put_part(self.key, self.id, number, data)

    def parts(self) -> list[PartReceipt]:
        return self.connection.boto_uploads.parts(self.key, self.id)

    def commit(
        self,
        parts: Sequence[PartReceipt],
        *,
        content_md5: bytes | None = None,  # noqa: ARG002 - S3 keeps no MD5 of an object in parts
    ) -> ObjectInfo:
        room = self.connection.boto_uploads if self.connection.config.checksums else self.connection.direct
        return room.commit(self.key, self.id, sorted(parts, key=lambda part: part.number))

    def abort(self) -> None:
        try:
            self.connection.direct.abort(self.key, self.id)
        except NotFound:
            return


@dataclass(frozen=True, slots=True)
class Uploads:
    """The multipart uploads of a bucket."""

    connection: Connection

    def begin(self, *, key: str, content_type: str | None, metadata: dict[str, str] | None) -> S3Upload:
        config = self.connection.config
        headers = new_object(content_type, metadata, config.storage_class)
        if not config.checksums and can_send(headers):
            upload_id = self.connection.direct.begin(key, headers)
        else:
            upload_id = self.connection.boto_uploads.begin(key, content_type, metadata)
        return S3Upload(self.connection, key, upload_id)

    def resume(self, *, key: str, upload_id: str) -> S3Upload:
        return S3Upload(self.connection, key, upload_id)

    def pending(self, *, prefix: str) -> Iterator[PendingUpload]:
        return self.connection.boto_uploads.pending(prefix)
