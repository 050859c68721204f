"""The two real stores as the invariant checker wants them, read with the providers' own SDKs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from botocore.exceptions import ClientError

from invariants import Request

_SMALL = 1 << 20


class Container:
    """An Azure container at rest: what was listed or read once is not asked for again."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client
        self._etags: dict[str, str] = {}
        self._small: dict[str, bytes] = {}

    def keys(self, prefix: str) -> Iterable[str]:
        found = {blob.name: str(blob.etag).strip('"') for blob in self._client.list_blobs(name_starts_with=prefix)}
        self._etags |= found
        return list(found)

    def read(self, key: str) -> bytes:
        if key in self._small:
            return self._small[key]
        try:
            data = self._client.download_blob(key).readall()
        except ResourceNotFoundError:
            raise KeyError(key) from None
        if len(data) <= _SMALL:
            self._small[key] = data
        return data

    def etag(self, key: str) -> str:
        return self._etags[key]

    def history(self) -> Sequence[Request]:
        """The proxy counts the writes; nobody here knows who asked."""
        return []


class Bucket:
    """An S3 bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterable[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError:
            raise KeyError(key) from None
        return body
