"""What azure-storage-blob does about blocks: lists, and commits whose facts HTTP's headers cannot say as they are.

Imported when it is first needed, as it brings the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings

from common.adapters.objects.azure import blocks
from common.adapters.objects.azure.control import Control
from common.adapters.objects.azure.sdk_errors import translated, translated_steps
from common.errors import NotFound
from common.ports import PendingUpload


@dataclass(frozen=True, slots=True)
class SdkUploads:
    """Thread-safe; never retries."""

    control: Control

    def blocks(self, key: str) -> list[tuple[str, int]]:
        """Names and sizes of those that are not committed; empty for a name that nobody wrote to."""
        return _uncommitted(self.control.client.get_blob_client(key), key)

    def commit(
        self,
        key: str,
        block_ids: Sequence[str],
        *,
        content_type: str | None,
        content_md5: bytes | None,
        metadata: dict[str, str],
    ) -> tuple[str, str | None]:
        """Make the blob of these blocks, if nothing has the name: its ETag, without quotes, and version."""
        md5 = None if content_md5 is None else bytearray(content_md5)
        with translated(f"committing {key}", writing=True):
            answer: dict[str, Any] = self.control.client.get_blob_client(key).commit_block_list(
                [BlobBlock(name) for name in block_ids],
                content_settings=ContentSettings(content_type=content_type, content_md5=md5),
                match_condition=MatchConditions.IfMissing,
                **self.control.new_blob(metadata),
            )
        return answer["etag"].strip('"'), answer.get("version_id")

    def pending(self, prefix: str) -> Iterator[PendingUpload]:
        """Uploads of names that no blob has; blocks staged beside a committed blob are not told by Azure's lists."""
        what = f"listing the uploads below {prefix!r}"
        with translated(what):
            blobs = self.control.client.list_blobs(name_starts_with=prefix, include=["uncommittedblobs"])
        for blob in translated_steps(blobs, what):
            if blob.size:
                continue
            mine = {block.upload_id for name, _ in self.blocks(blob.name) if (block := blocks.read(name))}
            for upload_id in sorted(mine):
                yield PendingUpload(blob.name, upload_id, blob.creation_time)


def _uncommitted(blob: BlobClient, key: str) -> list[tuple[str, int]]:
    try:
        with translated(f"listing the parts of {key}"):
            return [(block.id, block.size) for block in blob.get_block_list("uncommitted")[1]]
    except NotFound:
        return []
