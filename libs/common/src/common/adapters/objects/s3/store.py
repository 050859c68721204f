"""ObjectStore over one S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import obstore

from common.adapters.objects.obstore_answers import RESERVED_ATTRIBUTES, can_name
from common.adapters.objects.reading import opened
from common.adapters.objects.s3 import upload
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.errors import translated, translated_pages
from common.adapters.objects.s3.info import listed
from common.adapters.objects.s3.reading import by_boto, by_obstore, head
from common.errors import NameNotAllowed
from common.ports import Body, Limits, ObjectInfo, PendingUpload, Upload

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
        after = {} if start_after is None else {"StartAfter": start_after}
        pages = self.connection.control.get_paginator("list_objects_v2").paginate(
            Bucket=self.connection.bucket,
            Prefix=prefix,
            OptionalObjectAttributes=["RestoreStatus"],
            **after,
        )
        for page in translated_pages(pages, f"listing {prefix!r}"):
            yield from (listed(entry) for entry in page.get("Contents", []))

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
        get = by_obstore if can_name(key) else by_boto
        return opened(
            key=key,
            first=first,
            length=length,
            if_match=if_match,
            get=lambda span: get(self.connection, key, span, if_match, version_id),
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
        names = {name.lower(): value for name, value in (metadata or {}).items()}
        put = self._put_by_obstore if can_name(key) and not names.keys() & RESERVED_ATTRIBUTES else self._put_by_boto
        with translated(f"creating {key}", writing=True):
            etag, version = put(key, data, content_type, names)
        return ObjectInfo(
            key=key,
            size=len(data),
            etag=etag.strip('"'),
            version_id=version,
            storage_class=self.connection.storage_class,
            content_type=content_type,
            metadata=names,
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        return upload.begin(self.connection, key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,  # noqa: ARG002 - S3 keeps it since the upload began
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return upload.S3Upload(self.connection, key, upload_id)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return upload.pending(self.connection, prefix=prefix)

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

    def _put_by_obstore(
        self, key: str, data: bytes | memoryview, content_type: str | None, metadata: dict[str, str]
    ) -> tuple[str, str | None]:
        attributes = dict(metadata)
        if content_type is not None:
            attributes["Content-Type"] = content_type
        if self.connection.storage_class is not None:
            attributes["Storage-Class"] = self.connection.storage_class
        answer = obstore.put(
            self.connection.bytes,
            key,
            data,
            mode="create",
            use_multipart=False,
            attributes=attributes,
        )
        return answer["e_tag"] or "", answer["version"]

    def _put_by_boto(
        self, key: str, data: bytes | memoryview, content_type: str | None, metadata: dict[str, str]
    ) -> tuple[str, str | None]:
        options: dict[str, Any] = upload.new_object_options(self.connection, content_type, metadata)
        answer = self.connection.control.put_object(
            Bucket=self.connection.bucket, Key=key, Body=bytes(data), IfNoneMatch="*", **options
        )
        return answer["ETag"], answer.get("VersionId")
