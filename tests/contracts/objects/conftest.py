"""The five stores of the suite, each with a fresh bucket for a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.location import Provider
from common.ports import ObjectStore
from servers.handles import fresh_name

PROVIDERS = ("memory", "local", "s3", "seaweedfs", "azure")


@dataclass(frozen=True)
class Place:
    """One fresh bucket and how to open it."""

    name: str
    settings: dict[str, Any]
    unfit: frozenset[str] = field(default_factory=frozenset)
    """Keys the provider can hold and this server cannot."""

    def open(self, **changed: Any) -> ObjectStore:
        """A bare store, without retries; each call makes its own clients."""
        return open_store(LocationConfig(**{"id": "place", **self.settings, **changed}), retry=False)

    @property
    def remote(self) -> bool:
        return "endpoint" in self.settings


def _s3(name: str, server: Any, bucket: str, unfit: frozenset[str] = frozenset()) -> Place:
    return Place(
        name,
        {
            "provider": Provider.AMAZON_S3,
            "bucket": bucket,
            "endpoint": server.endpoint,
            "access_key_id": server.access_key_id,
            "secret_access_key": server.secret_access_key,
            "region": server.region,
        },
        unfit,
    )


def _azure(server: Any) -> Place:
    return Place(
        "azure",
        {
            "provider": Provider.AZURE_BLOB,
            "bucket": server.container(),
            "endpoint": server.endpoint,
            "account_name": server.account_name,
            "account_key": server.account_key,
        },
    )


@pytest.fixture(scope="session")
def seaweedfs_bucket(seaweedfs: Any) -> str:
    """One for all tests of a worker: each bucket costs this server seven volumes, and it has not many."""
    bucket: str = seaweedfs.bucket()
    return bucket


def _emptied(server: Any, bucket: str) -> str:
    s3 = server.client()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        found = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if found:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": found})
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return bucket


@pytest.fixture(params=PROVIDERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    makers: dict[str, Callable[[], Place]] = {
        "memory": lambda: Place("memory", {"provider": Provider.MEMORY, "bucket": fresh_name("bucket")}),
        "local": lambda: Place("local", {"provider": Provider.LOCAL, "bucket": str(tmp_path)}),
        "s3": lambda: _s3("s3", request.getfixturevalue("s3_server"), request.getfixturevalue("s3_server").bucket()),
        # It keeps keys as paths: empty segments and backslashes are lost, a folder sorts before its own slash.
        "seaweedfs": lambda: _s3(
            "seaweedfs",
            request.getfixturevalue("seaweedfs"),
            _emptied(request.getfixturevalue("seaweedfs"), request.getfixturevalue("seaweedfs_bucket")),
            unfit=frozenset(
                (
                    "a/",
                    "a/b",
                    "b/c/d",
                    "b/c0",
                    "b1/v1//",
                    "a//b",
                    "/leading",
                    "trailing/",
                    "back\\slash",
                    "a/./b",
                    "a/../b",
                )
            ),
        ),
        "azure": lambda: _azure(request.getfixturevalue("azurite")),
    }
    return makers[request.param]()


@pytest.fixture
def store(place: Place) -> ObjectStore:
    return place.open()
