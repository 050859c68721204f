"""A multipart upload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from common.adapters.objects.s3.boto_errors import translated, translated_pages
from common.adapters.objects.s3.control import Control
from common.adapters.objects.s3.direct import Direct
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload


@dataclass(frozen=True, slots=True)
class S3Upload:
    """Upload over one upload id of S3."""

    control: Control
    direct: Direct
    key: str
    id: str

    def put_part(self, number: int, data: bytes | memoryview) -> PartReceipt:
        if not self.control.checksums:
            return self.direct.put_part(self.key, self.id, number, data)
        with translated(f"uploading part {number} of {self.key}"):
            answer = self._call("upload_part", PartNumber=number, Body=_body(data))
        return PartReceipt(number, len(data), answer["ETag"].strip('"'))

    def parts(self) -> list[PartReceipt]:
        pages = self.control.client.get_paginator("list_parts").paginate(**self._name)
        try:
            with translated(f"listing the parts of {self.key}"):
                found = [part for page in pages for part in page.get("Parts", [])]
        except NotFound:
            return []
        receipts = [PartReceipt(p["PartNumber"], p["Size"], p["ETag"].strip('"')) for p in found]
        return sorted(receipts, key=lambda receipt: receipt.number)

    def commit(
        self,
        parts: Sequence[PartReceipt],
        *,
        content_md5: bytes | None = None,  # noqa: ARG002 - S3 keeps no MD5 of an object in parts
    ) -> ObjectInfo:
        listed = [
            {"PartNumber": part.number, "ETag": f'"{part.tag}"'} for part in sorted(parts, key=lambda p: p.number)
        ]
        with translated(f"committing {self.key}", writing=True):
            self._call("complete_multipart_upload", MultipartUpload={"Parts": listed}, IfNoneMatch="*")
        return self.control.head(self.key)

    def abort(self) -> None:
        try:
            with translated(f"aborting the upload of {self.key}"):
                self._call("abort_multipart_upload")
        except NotFound:
            return

    @property
    def _name(self) -> dict[str, str]:
        return {"Bucket": self.control.bucket, "Key": self.key, "UploadId": self.id}

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.control.client, operation)(**self._name, **arguments)
        return answer


@dataclass(frozen=True, slots=True)
class Uploads:
    """The multipart uploads of a bucket."""

    control: Control
    direct: Direct

    def begin(self, *, key: str, content_type: str | None, metadata: dict[str, str] | None) -> S3Upload:
        facts = self.control.new_object(content_type, metadata)
        with translated(f"beginning an upload of {key}", writing=True):
            answer = self.control.client.create_multipart_upload(Bucket=self.control.bucket, Key=key, **facts)
        return S3Upload(self.control, self.direct, key, answer["UploadId"])

    def resume(self, *, key: str, upload_id: str) -> S3Upload:
        return S3Upload(self.control, self.direct, key, upload_id)

    def pending(self, *, prefix: str) -> Iterator[PendingUpload]:
        pages = self.control.client.get_paginator("list_multipart_uploads")
        found = pages.paginate(Bucket=self.control.bucket, Prefix=prefix)
        for page in translated_pages(found, f"listing the uploads below {prefix!r}"):
            for upload in page.get("Uploads", []):
                if upload["Key"].startswith(prefix):
                    yield PendingUpload(upload["Key"], upload["UploadId"], upload.get("Initiated"))


def _body(data: bytes | memoryview) -> bytes:
    """botocore sends bytes only; a view is copied."""
    return data if isinstance(data, bytes) else bytes(data)
