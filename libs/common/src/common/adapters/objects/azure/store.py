"""ObjectStore over one Azure container."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import obstore

from common.adapters.objects.azure import names, upload
from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.errors import translated, translated_steps
from common.adapters.objects.azure.info import described
from common.adapters.objects.azure.listing import in_byte_order
from common.adapters.objects.azure.reading import by_obstore, by_sdk, head
from common.adapters.objects.obstore_answers import RESERVED_ATTRIBUTES, can_name
from common.adapters.objects.reading import opened
from common.errors import NameNotAllowed
from common.ports import Body, Limits, ObjectInfo, PendingUpload, Upload

_BLOCKS = 50_000
_LIMITS = Limits(
    max_single_put=5000 * 2**20,
    min_part=1,
    max_part=4000 * 2**20,
    max_parts=_BLOCKS,
    max_object=4000 * 2**20 * _BLOCKS,
)


@dataclass(frozen=True, slots=True)
class AzureStore:
    """Never retries. Names that obstore would change go through the SDK."""

    connection: Connection

    @property
    def limits(self) -> Limits:
        return _LIMITS

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        what = f"listing {prefix!r}"
        with translated(what):
            blobs = self.connection.control.list_blobs(name_starts_with=prefix, results_per_page=1000)
        found = (described(blob, key=blob.name, listed=True) for blob in translated_steps(blobs, what))
        return in_byte_order(found, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        return head(self.connection, key, None)

    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AbstractContextManager[Body]:
        # obstore sends no version to Azure.
        by_name = can_name(key) and version_id is None
        return opened(
            key=key,
            first=first,
            length=length,
            if_match=if_match,
            get=lambda span: (
                by_obstore(self.connection, key, span, if_match)
                if by_name
                else by_sdk(self.connection, key, span, if_match, version_id)
            ),
            head=lambda: head(self.connection, key, version_id),
        )

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
        # obstore cannot give a new blob its tier.
        plain = can_name(key) and not kept.keys() & RESERVED_ATTRIBUTES and self.connection.access_tier is None
        put = self._put_by_obstore if plain else self._put_by_sdk
        with translated(f"creating {key}", writing=True):
            etag, version = put(key, data, content_type, kept)
        return ObjectInfo(
            key=key,
            size=len(data),
            etag=etag.strip('"'),
            version_id=version,
            storage_class=None if self.connection.access_tier is None else self.connection.access_tier.value,
            content_type=content_type,
            metadata=kept,
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        return upload.begin(self.connection, key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        return upload.AzureUpload(self.connection, key, upload_id, content_type, dict(metadata or {}))

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return upload.pending(self.connection, prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        return names.name_fault(key)

    def _check_name(self, key: str) -> None:
        if fault := self.name_fault(key):
            raise NameNotAllowed(f"{key!r}: {fault}")

    def _put_by_obstore(
        self,
        key: str,
        data: bytes | memoryview,
        content_type: str | None,
        metadata: dict[str, str],
    ) -> tuple[str, str | None]:
        attributes = dict(metadata)
        if content_type is not None:
            attributes["Content-Type"] = content_type
        answer = obstore.put(
            self.connection.bytes,
            key,
            data,
            mode="create",
            use_multipart=False,
            attributes=attributes,
        )
        return answer["e_tag"] or "", answer["version"]

    def _put_by_sdk(
        self, key: str, data: bytes | memoryview, content_type: str | None, metadata: dict[str, str]
    ) -> tuple[str, str | None]:
        answer = self.connection.control.get_blob_client(key).upload_blob(
            bytes(data),
            length=len(data),
            overwrite=False,
            content_settings=upload.content_settings(content_type),
            **upload.new_blob_options(self.connection, metadata),
        )
        return answer["etag"], answer.get("version_id")
