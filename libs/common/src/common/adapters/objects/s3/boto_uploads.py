"""What boto3 does about multipart uploads: lists, checksums, and facts that HTTP's headers cannot say as they are.

Imported when it is first needed, as it brings boto3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from common.adapters.objects.s3.boto_errors import translated, translated_pages
from common.adapters.objects.s3.control import Control
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload

_MD5 = re.compile("[0-9a-f]{32}")
"""The ETag of a part, but where KMS encrypts: there it is another number as long, and the part is sent again."""


@dataclass(frozen=True, slots=True)
class BotoUploads:
    """Thread-safe; never retries."""

    control: Control

    def begin(self, key: str, content_type: str | None, metadata: dict[str, str] | None) -> str:
        """The id of a new upload."""
        facts = self.control.new_object(content_type, metadata)
        with translated(f"beginning an upload of {key}", writing=True):
            answer = self.control.client.create_multipart_upload(Bucket=self.control.bucket, Key=key, **facts)
        upload_id: str = answer["UploadId"]
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: bytes | memoryview) -> PartReceipt:
        # botocore sends bytes only; a view is copied.
        body = data if isinstance(data, bytes) else bytes(data)
        with translated(f"uploading part {number} of {key}"):
            named = self._named(key, upload_id)
            answer = self.control.client.upload_part(**named, PartNumber=number, Body=body)
        return PartReceipt(number, len(data), answer["ETag"].strip('"'))

    def parts(self, key: str, upload_id: str) -> list[PartReceipt]:
        pages = self.control.client.get_paginator("list_parts").paginate(**self._named(key, upload_id))
        try:
            with translated(f"listing the parts of {key}"):
                found = [part for page in pages for part in page.get("Parts", [])]
        except NotFound:
            return []
        tags = [(p["PartNumber"], p["Size"], p["ETag"].strip('"')) for p in found]
        receipts = [PartReceipt(*tag, md5=tag[2] if _MD5.fullmatch(tag[2]) else "") for tag in tags]
        return sorted(receipts, key=lambda receipt: receipt.number)

    def commit(self, key: str, upload_id: str, parts: Sequence[PartReceipt]) -> ObjectInfo:
        """Of `parts`, in order of number, if nothing has the key."""
        listed = [{"PartNumber": part.number, "ETag": f'"{part.tag}"'} for part in parts]
        named = self._named(key, upload_id)
        with translated(f"committing {key}", writing=True):
            answer = self.control.client.complete_multipart_upload(
                **named, MultipartUpload={"Parts": listed}, IfNoneMatch="*"
            )
        size = sum(part.size for part in parts)
        return ObjectInfo(key=key, size=size, etag=answer["ETag"].strip('"'), version_id=answer.get("VersionId"))

    def pending(self, prefix: str) -> Iterator[PendingUpload]:
        pages = self.control.client.get_paginator("list_multipart_uploads")
        found = pages.paginate(Bucket=self.control.bucket, Prefix=prefix)
        for page in translated_pages(found, f"listing the uploads below {prefix!r}"):
            for upload in page.get("Uploads", []):
                if upload["Key"].startswith(prefix):
                    yield PendingUpload(upload["Key"], upload["UploadId"], upload.get("Initiated"))

    def _named(self, key: str, upload_id: str) -> dict[str, Any]:
        return {"Bucket": self.control.bucket, "Key": key, "UploadId": upload_id}
