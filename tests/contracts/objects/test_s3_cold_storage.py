"""What only S3 has: versions of an object, archive classes, and answers to RestoreObject."""

from __future__ import annotations

import hashlib

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_cold_store, open_store
from common.domain.fixity import Algorithm
from common.domain.location import Provider
from common.errors import NotFound, NotRestored
from common.ports import ColdStore, ObjectStore, Restore, Tier
from contracts.objects.readback import content
from servers.handles import S3Server


def config(server: S3Server, bucket: str, **changed: str) -> LocationConfig:
    return LocationConfig(
        id="cold",
        provider=Provider.AMAZON_S3,
        bucket=bucket,
        endpoint=server.endpoint,
        access_key_id=server.access_key_id,
        secret_access_key=server.secret_access_key,
        region=server.region,
        **changed,
    )


def cold(server: S3Server, storage_class: str) -> tuple[ObjectStore, ColdStore]:
    # A configuration refuses classes that cannot be read back; objects of archives have them.
    settings = config(server, server.bucket()).model_copy(update={"storage_class": storage_class})
    store = open_cold_store(settings, retry=False)
    assert store is not None
    return open_store(settings, retry=False), store


def test_a_pinned_version_is_read_though_a_newer_one_is_there(s3_server: S3Server) -> None:
    bucket = s3_server.bucket(versioned=True)
    store = open_store(config(s3_server, bucket), retry=False)
    first = store.create(key="k", data=b"first")
    s3_server.client().put_object(Bucket=bucket, Key="k", Body=b"second!")

    assert first.version_id is not None
    assert store.head(key="k").version_id != first.version_id
    assert content(store, "k", version_id=first.version_id) == b"first"
    assert content(store, "k") == b"second!"
    with pytest.raises(NotFound):
        content(store, "k", version_id="0123456789")


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_described_and_not_read(s3_server: S3Server, storage_class: str) -> None:
    store, _ = cold(s3_server, storage_class)
    store.create(key="k", data=b"x")
    upload = store.begin_upload(key="parts")
    upload.commit([upload.put_part(1, b"y")])

    assert [info.storage_class for info in store.list(prefix="")] == [storage_class] * 2
    with pytest.raises(NotRestored):
        content(store, "k")
    with pytest.raises(NotRestored):
        content(store, "parts", first=0, length=1)


def test_restoring_says_accepted_then_already_restored(s3_server: S3Server) -> None:
    store, archive = cold(s3_server, "GLACIER")
    store.create(key="k", data=b"frozen")

    def ask() -> Restore:
        return archive.restore(key="k", version_id=None, days=2, tier=Tier.STANDARD)

    assert [ask(), ask()] == [Restore.ACCEPTED, Restore.IN_PROGRESS]
    going = store.head(key="k").restore
    assert going is not None
    assert (going.ongoing, going.expires_at) == (True, None)

    s3_server.clock.advance(hours=6)

    done = store.head(key="k").restore
    [listed] = store.list(prefix="")
    assert done is not None
    assert listed.restore is not None
    assert (done.ongoing, listed.restore.ongoing) == (False, False)
    assert done.expires_at == listed.restore.expires_at
    assert done.expires_at is not None
    assert content(store, "k") == b"frozen"
    assert ask() is Restore.ALREADY_RESTORED


def test_what_is_not_archived_needs_no_restore(s3_server: S3Server) -> None:
    store, archive = cold(s3_server, "STANDARD_IA")
    store.create(key="k", data=b"warm")

    assert archive.restore(key="k", version_id=None, days=1, tier=Tier.BULK) is Restore.NOT_ARCHIVED
    with pytest.raises(NotFound):
        archive.restore(key="gone", version_id=None, days=1, tier=Tier.BULK)


def test_the_store_tells_its_own_time(s3_server: S3Server) -> None:
    _, archive = cold(s3_server, "GLACIER")

    assert archive.now().tzinfo is not None


def test_a_bucket_that_is_gone_tells_no_time(s3_server: S3Server) -> None:
    archive = open_cold_store(config(s3_server, "gone-with-all-it-had"))

    with pytest.raises(NotFound):
        archive.now()


def test_of_a_frozen_object_the_digests_are_told_that_s3_computed(s3_server: S3Server) -> None:
    settings = config(s3_server, s3_server.bucket())
    frozen = {"Bucket": settings.bucket, "StorageClass": "DEEP_ARCHIVE"}
    s3_server.client().put_object(Key="sha256", Body=b"abc", ChecksumAlgorithm="SHA256", **frozen)
    s3_server.client().put_object(Key="crc", Body=b"abc", ChecksumAlgorithm="CRC32", **frozen)
    store = open_store(settings, retry=False)

    assert store.head(key="sha256").digests == {Algorithm.SHA256: hashlib.sha256(b"abc").hexdigest()}
    assert store.head(key="crc").digests is None
    assert [info.digests for info in store.list(prefix="")] == [None, None]
