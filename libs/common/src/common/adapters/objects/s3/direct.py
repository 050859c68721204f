"""Parts of large objects in S3: boto3 signs the addresses, the bytes take the short way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.adapters.objects.reading import past_end
from common.adapters.objects.s3.boto_errors import translated
from common.adapters.objects.s3.control import Control
from common.adapters.objects.s3.errors import error_for
from common.adapters.objects.wire import Refusal, Wire
from common.ports import ObjectInfo, PartReceipt

_VALID = 3600
"""Seconds in which a request with the address must begin."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Thread-safe; never retries."""

    control: Control
    wire: Wire

    def read_into(
        self, key: str, into: memoryview, *, first: int, if_match: str | None, version_id: str | None
    ) -> ObjectInfo:
        url = self._signed("get_object", key, {} if version_id is None else {"VersionId": version_id})
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        try:
            told, size = self.wire.read_into(url, into, first=first, headers=headers)
        except Refusal as refusal:
            if refusal.answer.status == 416:
                raise past_end(key=key, first=first, length=len(into)) from None
            raise error_for(refusal.answer, what=f"reading {key}") from None
        version = told.get("x-amz-version-id")
        return ObjectInfo(
            key=key,
            size=size,
            etag=told.get("ETag", "").strip('"'),
            version_id=None if version == "null" else version,
            content_type=told.get("Content-Type"),
        )

    def put_part(self, key: str, upload_id: str, number: int, data: bytes | memoryview) -> PartReceipt:
        url = self._signed("upload_part", key, {"UploadId": upload_id, "PartNumber": number})
        try:
            told = self.wire.put(url, data, headers={})
        except Refusal as refusal:
            raise error_for(refusal.answer, what=f"uploading part {number} of {key}") from None
        return PartReceipt(number, len(data), told.get("ETag", "").strip('"'))

    def _signed(self, call: str, key: str, facts: dict[str, Any]) -> str:
        """Raises StoreUnavailable where there are no credentials just now."""
        with translated(f"signing a request for {key}"):
            named = {"Bucket": self.control.bucket, "Key": key, **facts}
            url: str = self.control.client.generate_presigned_url(call, Params=named, ExpiresIn=_VALID)
        return url
