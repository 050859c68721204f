"""What one writes first: boto3 and azure-storage-blob in a thread pool, hashing on the way there and back."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from azure.storage.blob import BlobServiceClient
from benchmarks.dataplane.stores import Store, Task
from benchmarks.dataplane.workloads import Item, read_items
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

_IN_MEMORY = 8 << 20
_BLOCK = 1 << 20


class _Hashing:
    """A body that is hashed as it is read."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.sha256 = hashlib.sha256()

    def read(self, amount: int = -1) -> bytes:
        data: bytes = self._body.read(None if amount is None or amount < 0 else amount)
        self.sha256.update(data)
        return data


class _S3:
    def __init__(self, store: Store, threads: int) -> None:
        self._bucket = store.bucket
        self._client = boto3.client(
            "s3",
            endpoint_url=store.endpoint,
            aws_access_key_id=store.account,
            aws_secret_access_key=store.secret,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                max_pool_connections=4 * threads,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def open(self, key: str) -> Any:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]

    def blocks(self, key: str) -> Iterable[bytes]:
        blocks: Iterable[bytes] = self.open(key).iter_chunks(_BLOCK)
        return blocks

    def put(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def put_stream(self, key: str, body: _Hashing, size: int) -> None:
        del size
        self._client.upload_fileobj(body, self._bucket, key, Config=TransferConfig(max_concurrency=4))


class _Azure:
    def __init__(self, store: Store) -> None:
        service = BlobServiceClient(
            store.endpoint, credential={"account_name": store.account, "account_key": store.secret}
        )
        self._container = service.get_container_client(store.bucket)

    def blocks(self, key: str) -> Iterable[bytes]:
        blocks: Iterable[bytes] = self._container.download_blob(key).chunks()
        return blocks

    def put(self, key: str, data: bytes) -> None:
        self._container.upload_blob(key, data, overwrite=True)

    def put_stream(self, key: str, body: _Hashing, size: int) -> None:
        self._container.upload_blob(key, body, length=size, overwrite=True, max_concurrency=4)  # type: ignore[arg-type]


def main() -> None:
    """sdks.py TASK"""
    task = Task.read(sys.argv[1])
    source = _S3(task.source, task.concurrency)
    destination = _S3(task.destination, task.concurrency) if task.destination.kind == "s3" else _Azure(task.destination)
    with ThreadPoolExecutor(task.concurrency) as pool:
        list(pool.map(_copier(source, destination), read_items(Path(task.items))))


def _copier(source: _S3, destination: _S3 | _Azure) -> Callable[[Item], None]:
    def copy(item: Item) -> None:
        if item.size <= _IN_MEMORY:
            data = source.open(item.key).read()
            _compare(item, hashlib.sha256(data).hexdigest())
            destination.put(item.key, data)
        else:
            body = _Hashing(source.open(item.key))
            destination.put_stream(item.key, body, item.size)
            _compare(item, body.sha256.hexdigest())
        back = hashlib.sha256()
        for block in destination.blocks(item.key):
            back.update(block)
        _compare(item, back.hexdigest())

    return copy


def _compare(item: Item, measured: str) -> None:
    if measured != item.sha256:
        raise ValueError(f"{item.key}: SHA-256 {measured}, expected {item.sha256}")


if __name__ == "__main__":
    main()
