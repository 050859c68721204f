"""What a copy keeps and is given besides its bytes, on real servers: content type, SHA-256, storage class or tier."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from backfill_replicator.notes import Notes
from backfill_replicator.transfer import Copied, Ends, Result, Transfer
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.fixity import Algorithm
from common.domain.location import Provider
from common.domain.segment import PlannedFile
from common.measuring import Measuring
from common.memory import Memory
from common.ports import ObjectStore
from contracts.objects.readback import content
from servers.handles import AzureServer, S3Server

SMALL, LARGE = b"small", b"large" * 1000


def s3(server: S3Server, **settings: Any) -> ObjectStore:
    return open_store(
        LocationConfig(
            id="s3",
            provider=Provider.AMAZON_S3,
            bucket=server.bucket(),
            endpoint=server.endpoint,
            access_key_id=server.access_key_id,
            secret_access_key=server.secret_access_key,
            region=server.region,
            **settings,
        )
    )


def azure(server: AzureServer, **settings: Any) -> ObjectStore:
    return open_store(
        LocationConfig(
            id="azure",
            provider=Provider.AZURE_BLOB,
            bucket=server.container(),
            endpoint=server.endpoint,
            account_name=server.account_name,
            account_key=server.account_key,
            **settings,
        )
    )


def copy(source: ObjectStore, destination: ObjectStore, data: bytes, *, content_type: str) -> Copied:
    """Copy one new object; the large one in parts."""
    info = source.create(key="k", data=data, content_type=content_type)
    digests = {Algorithm.SHA256: hashlib.sha256(data).hexdigest()}
    file = PlannedFile("data/k", "v1/data/k", len(data), digests, info.etag)
    notes = Notes(earlier={}, remember=lambda _: None)
    transfer = Transfer(measuring=Measuring(Memory(), lambda: None), notes=notes, look_first=False, small=len(SMALL))
    return transfer.copy(file, Ends(source, "k", destination, "k"))


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_copy_on_s3_has_type_digest_and_class(s3_server: S3Server, data: bytes) -> None:
    destination = s3(s3_server, storage_class="STANDARD_IA")

    done = copy(s3(s3_server), destination, data, content_type="image/tiff")

    found = destination.head(key="k")
    assert done.result is Result.COPIED
    assert content(destination, "k") == data
    assert (found.content_type, found.metadata, found.storage_class) == (
        "image/tiff",
        {"sha256": hashlib.sha256(data).hexdigest()},
        "STANDARD_IA",
    )


@pytest.mark.parametrize("tier", [None, "Cool"])
@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_copy_on_azure_has_type_digest_and_tier(
    s3_server: S3Server, azurite: AzureServer, data: bytes, tier: str | None
) -> None:
    destination = azure(azurite, access_tier=tier)

    done = copy(s3(s3_server), destination, data, content_type="text/plain; charset=utf-8")

    found = destination.head(key="k")
    assert done.result is Result.COPIED
    assert content(destination, "k") == data
    assert (found.content_type, found.metadata, found.storage_class) == (
        "text/plain; charset=utf-8",
        {"sha256": hashlib.sha256(data).hexdigest()},
        tier or "Hot",
    )


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_location_may_want_the_bytes_alone(s3_server: S3Server, azurite: AzureServer, data: bytes) -> None:
    destination = azure(azurite, record_sha256=False)

    copy(s3(s3_server), destination, data, content_type="image/tiff")

    found = destination.head(key="k")
    assert (found.content_type, found.metadata) == ("image/tiff", {})


@pytest.mark.parametrize("server", ["s3_server", "azurite"])
def test_the_content_type_is_known_from_reading(server: str, request: pytest.FixtureRequest) -> None:
    handle = request.getfixturevalue(server)
    store = s3(handle) if server == "s3_server" else azure(handle)
    for key in ("k", "by//sdk"):
        store.create(key=key, data=b"x", content_type="image/jp2")
        with store.read(key=key) as body:
            assert body.info.content_type == "image/jp2", key
