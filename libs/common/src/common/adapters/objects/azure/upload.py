"""A large blob in blocks.

Azure knows no uploads, only the uncommitted blocks of a name, which all writers share. So an upload id is ours,
and every block id begins with it: see `blocks`.
Uncommitted blocks cannot be taken back; Azure forgets them after a week, or when the name is committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from common.adapters.objects.azure import blocks
from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.direct import new_blob
from common.adapters.objects.wire import can_send
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload


@dataclass(frozen=True, slots=True)
class AzureUpload:
    """Upload over the blocks that begin with `id`."""

    connection: Connection
    key: str
    id: str
    content_type: str | None
    metadata: dict[str, str]
    _aborted: Event = field(default_factory=Event)

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        self._check_open()
        block_id = blocks.name(self.id, number, mark)
        self.connection.direct.put_block(self.key, block_id, data)
        return PartReceipt(number, len(data), block_id)

    def parts(self) -> list[PartReceipt]:
        if self._aborted.is_set():
            return []
        found = [(blocks.read(name), size, name) for name, size in self.connection.sdk_uploads.blocks(self.key)]
        mine = [
            PartReceipt(block.number, size, name, mark=block.mark)
            for block, size, name in found
            if block and block.upload_id == self.id
        ]
        return sorted(mine, key=lambda part: part.number)

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        self._check_open()
        if foreign := [part.tag for part in parts if not self._owns(part.tag)]:
            raise NotFound(f"{self.key}: block {foreign[0]} does not belong to upload {self.id}")
        listed = sorted(parts, key=lambda part: part.number)
        etag, version = self._commit([part.tag for part in listed], content_md5)
        return ObjectInfo(key=self.key, size=sum(part.size for part in listed), etag=etag, version_id=version)

    def abort(self) -> None:
        """Only this object forgets; the blocks stay with Azure until it drops them, and no other attempt uses them."""
        self._aborted.set()

    def _commit(self, block_ids: list[str], content_md5: bytes | None) -> tuple[str, str | None]:
        headers = new_blob(self.content_type, self.metadata, self.connection.access_tier, content_md5)
        if can_send(headers):
            return self.connection.direct.commit(self.key, block_ids, headers)
        return self.connection.sdk_uploads.commit(
            self.key,
            block_ids,
            content_type=self.content_type,
            content_md5=content_md5,
            metadata=self.metadata,
        )

    def _owns(self, block_id: str) -> bool:
        block = blocks.read(block_id)
        return block is not None and block.upload_id == self.id

    def _check_open(self) -> None:
        if self._aborted.is_set():
            raise NotFound(f"{self.key}: upload {self.id} was aborted")


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uncommitted blocks of a container."""

    connection: Connection

    def begin(self, *, key: str, content_type: str | None, metadata: dict[str, str] | None) -> AzureUpload:
        """Costs no request."""
        upload_id = blocks.new_upload_id()
        return self.resume(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)

    def resume(
        self, *, key: str, upload_id: str, content_type: str | None, metadata: dict[str, str] | None
    ) -> AzureUpload:
        return AzureUpload(self.connection, key, upload_id, content_type, dict(metadata or {}))

    def pending(self, *, prefix: str) -> Iterator[PendingUpload]:
        return self.connection.sdk_uploads.pending(prefix)
