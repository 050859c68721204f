"""S3 copies between its own buckets, part by part.

Not with CopyObject: not every S3 knows its If-None-Match, and one that ignores it would overwrite. An upload of parts
is committed under the same condition as every other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import botocore.exceptions as boto

from common.adapters.objects.s3.boto_errors import boto_answer
from common.adapters.objects.s3.control import Control
from common.adapters.objects.s3.errors import error_for
from common.errors import AccessDenied, CannotCopy, RefusedByStore
from common.ports import PartReceipt

PART = 256 << 20
"""Bytes; S3 takes parts of up to 5 GiB, and some seconds for this one."""
URL_LIVES = 3600
"""Seconds: a URL is made for one part and used at once."""


@dataclass(frozen=True, slots=True)
class S3PartCopier:
    """PartCopier between two buckets of one S3, with the destination's credentials."""

    control: Control
    source_bucket: str

    @property
    def part_size(self) -> int:
        return PART

    def copy_part(
        self,
        *,
        key: str,
        upload_id: str,
        number: int,
        source_key: str,
        first: int,
        length: int,
        if_match: str,
        version_id: str | None = None,
    ) -> PartReceipt:
        source = {"Bucket": self.source_bucket, "Key": source_key}
        what = f"having part {number} of {key} copied"
        try:
            answer = self.control.client.upload_part_copy(
                Bucket=self.control.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource=source if version_id is None else source | {"VersionId": version_id},
                CopySourceRange=f"bytes={first}-{first + length - 1}",
                CopySourceIfMatch=f'"{if_match}"',
            )
        except (boto.BotoCoreError, boto.ClientError) as problem:
            raise _error(problem, what) from None
        return PartReceipt(number, length, _tag(answer, what))


def _error(problem: Exception, what: str) -> Exception:
    error = error_for(boto_answer(problem), what=what)
    # The destination's credentials may not read the source, or the store knows no such request: others can copy.
    return CannotCopy(str(error)) if isinstance(error, (AccessDenied, RefusedByStore)) else error


def _tag(answer: dict[str, Any], what: str) -> str:
    tag = str(answer.get("CopyPartResult", {}).get("ETag", "")).strip('"')
    if not tag:
        raise CannotCopy(f"{what}: the store answered without an ETag")
    return tag


@dataclass(frozen=True, slots=True)
class S3Signer:
    """Makes URLs that let another store read one object, for an hour, with the source's credentials."""

    control: Control

    def __call__(self, key: str, version_id: str | None) -> str:
        pinned = {} if version_id is None else {"VersionId": version_id}
        url: str = self.control.client.generate_presigned_url(
            "get_object", Params={"Bucket": self.control.bucket, "Key": key, **pinned}, ExpiresIn=URL_LIVES
        )
        return url
