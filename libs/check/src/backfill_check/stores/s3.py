"""S3 through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from backfill_check.stores import Frozen, Gone, Listed, Unreachable
from common.adapters.objects.configuration import LocationConfig

_BLOCK = 1 << 20


class S3Reader:
    """Safe to share between threads."""

    def __init__(self, config: LocationConfig) -> None:
        self._bucket = config.bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=config.endpoint,
            region_name=config.region,
            aws_access_key_id=_secret(config.access_key_id),
            aws_secret_access_key=_secret(config.secret_access_key),
            aws_session_token=_secret(config.session_token),
            config=Config(
                max_pool_connections=config.concurrency,
                retries={"mode": "standard", "total_max_attempts": 5},
                connect_timeout=config.connect_timeout,
                read_timeout=config.read_timeout,
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if config.endpoint else "auto"},
            ),
        )

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed]:
        pages = self._client.get_paginator("list_objects_v2")
        with _told(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
                for item in page.get("Contents", ()):
                    yield Listed(item["Key"], item["Size"], item["ETag"].strip('"'))

    def size(self, key: str) -> int:
        with _told(key):
            return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])

    def read(self, key: str) -> Iterator[bytes]:
        with _told(key):
            yield from self._client.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(_BLOCK)


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value else None


@contextmanager
def _told(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "404", "NotFound"):
            raise Gone(key) from error
        if code == "InvalidObjectState":
            raise Frozen(key) from error
        raise Unreachable(f"{key}: {error}") from error
    except BotoCoreError as error:
        raise Unreachable(f"{key}: {error}") from error
