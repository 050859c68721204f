"""A large blob in blocks.

Azure knows no uploads, only the uncommitted blocks of a name, which all writers share. So an upload id is ours,
and every block id begins with it: `<16 hex digits>-<6-digit part>`, all of one length as Azure wants them.
Uncommitted blocks cannot be taken back; Azure forgets them after a week, or when the name is committed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from common.adapters.objects.azure.control import Control
from common.adapters.objects.azure.direct import Direct
from common.adapters.objects.azure.info import described
from common.adapters.objects.azure.sdk_errors import translated, translated_steps
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload

_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class AzureUpload:
    """Upload over the blocks that begin with `id`."""

    control: Control
    direct: Direct
    key: str
    id: str
    content_type: str | None
    metadata: dict[str, str]
    _aborted: Event = field(default_factory=Event)

    def put_part(self, number: int, data: bytes | memoryview) -> PartReceipt:
        self._check_open()
        block_id = f"{self.id}-{number:06}"
        self.direct.put_block(self.key, block_id, data)
        return PartReceipt(number, len(data), block_id)

    def parts(self) -> list[PartReceipt]:
        if self._aborted.is_set():
            return []
        blocks = _uncommitted(self._blob, self.key)
        mine = [(int(name.rpartition("-")[2]), size, name) for name, size in blocks if self._owns(name)]
        return [PartReceipt(*part) for part in sorted(mine)]

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        self._check_open()
        if foreign := [part.tag for part in parts if not self._owns(part.tag)]:
            raise NotFound(f"{self.key}: block {foreign[0]} does not belong to upload {self.id}")
        blocks = [BlobBlock(part.tag) for part in sorted(parts, key=lambda part: part.number)]
        with translated(f"committing {self.key}", writing=True):
            self._blob.commit_block_list(
                blocks,
                content_settings=_settings(self.content_type, content_md5),
                match_condition=MatchConditions.IfMissing,
                **self.control.new_blob(self.metadata),
            )
        with translated(f"looking at {self.key}"):
            return described(self._blob.get_blob_properties(), key=self.key)

    def abort(self) -> None:
        """Only this object forgets; the blocks stay with Azure until it drops them, and no other attempt uses them."""
        self._aborted.set()

    @property
    def _blob(self) -> BlobClient:
        return self.control.client.get_blob_client(self.key)

    def _owns(self, block_id: str) -> bool:
        return block_id.startswith(f"{self.id}-")

    def _check_open(self) -> None:
        if self._aborted.is_set():
            raise NotFound(f"{self.key}: upload {self.id} was aborted")


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uncommitted blocks of a container."""

    control: Control
    direct: Direct

    def begin(self, *, key: str, content_type: str | None, metadata: dict[str, str] | None) -> AzureUpload:
        """Costs no request."""
        upload_id = secrets.token_hex(_ID_LENGTH // 2)
        return self.resume(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)

    def resume(
        self, *, key: str, upload_id: str, content_type: str | None, metadata: dict[str, str] | None
    ) -> AzureUpload:
        return AzureUpload(self.control, self.direct, key, upload_id, content_type, dict(metadata or {}))

    def pending(self, *, prefix: str) -> Iterator[PendingUpload]:
        """Uploads of names that no blob has; blocks staged beside a committed blob are not told by Azure's lists."""
        what = f"listing the uploads below {prefix!r}"
        with translated(what):
            blobs = self.control.client.list_blobs(name_starts_with=prefix, include=["uncommittedblobs"])
        for blob in translated_steps(blobs, what):
            if blob.size:
                continue
            names = _uncommitted(self.control.client.get_blob_client(blob.name), blob.name)
            mine = {name[:_ID_LENGTH] for name, _ in names if name[_ID_LENGTH : _ID_LENGTH + 1] == "-"}
            for upload_id in sorted(mine):
                yield PendingUpload(blob.name, upload_id, blob.creation_time)


def _uncommitted(blob: BlobClient, key: str) -> list[tuple[str, int]]:
    """Ids and sizes; empty for a name that nobody wrote to."""
    try:
        with translated(f"listing the parts of {key}"):
            return [(block.id, block.size) for block in blob.get_block_list("uncommitted")[1]]
    except NotFound:
        return []


def _settings(content_type: str | None, content_md5: bytes | None) -> ContentSettings:
    md5 = None if content_md5 is None else bytearray(content_md5)
    return ContentSettings(content_type=content_type, content_md5=md5)
