"""What only Azure has: SAS tokens, tiers, Content-MD5 of a blob in blocks, and blocks that all writers share."""

from __future__ import annotations

import hashlib

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.location import Provider
from common.errors import AccessDenied, NotFound, NotRestored
from common.ports import ObjectStore, PartReceipt
from contracts.objects.readback import content, keys
from servers.handles import AzureServer


def opened(server: AzureServer, container: str, **settings: str) -> ObjectStore:
    credentials = {"account_key": server.account_key} if "sas_token" not in settings else {}
    config = LocationConfig(
        id="azure",
        provider=Provider.AZURE_BLOB,
        bucket=container,
        endpoint=server.endpoint,
        account_name=server.account_name,
        **credentials,
        **settings,
    )
    return open_store(config, retry=False)


def test_a_sas_token_is_enough(azurite: AzureServer) -> None:
    container = azurite.container()
    store = opened(azurite, container, sas_token="?" + azurite.sas(container, "rcwl"))

    store.create(key="small", data=b"x")
    upload = store.begin_upload(key="parts")
    upload.commit([upload.put_part(1, b"y")])

    assert (keys(store), content(store, "small"), content(store, "parts")) == (["parts", "small"], b"x", b"y")


def test_a_sas_token_without_the_right_is_denied_and_not_shown(azurite: AzureServer) -> None:
    container = azurite.container()
    token = azurite.sas(container, "rl")
    store = opened(azurite, container, sas_token=token)

    for key in ("k", "by//sdk"):
        with pytest.raises(AccessDenied) as denied:
            store.create(key=key, data=b"x")
        assert "sig=" not in str(denied.value)
    assert "sig=" not in repr(store.begin_upload(key="k"))


def test_new_blobs_have_the_tier_and_md5_they_were_given(azurite: AzureServer) -> None:
    container = azurite.container()
    store = opened(azurite, container, access_tier="Cool")
    md5 = hashlib.md5(b"y", usedforsecurity=False).digest()

    store.create(key="small", data=b"x")
    upload = store.begin_upload(key="parts")
    upload.commit([upload.put_part(1, b"y")], content_md5=md5)

    assert [info.storage_class for info in store.list(prefix="")] == ["Cool", "Cool"]
    found = azurite.client().get_blob_client(container, "parts").get_blob_properties()
    assert bytes(found.content_settings.content_md5) == md5


def test_an_archived_blob_is_described_and_not_read(azurite: AzureServer) -> None:
    container = azurite.container()
    store = opened(azurite, container)
    store.create(key="k", data=b"x")
    azurite.client().get_blob_client(container, "k").set_standard_blob_tier("Archive")

    assert store.head(key="k").storage_class == "Archive"
    with pytest.raises(NotRestored):
        content(store, "k")


def test_an_archived_blob_is_the_object_it_was_and_what_a_client_claimed_is_no_digest(azurite: AzureServer) -> None:
    container = azurite.container()
    store = opened(azurite, container)
    upload = store.begin_upload(key="k")
    upload.commit([upload.put_part(1, b"y")], content_md5=hashlib.md5(b"another").digest())
    before = store.head(key="k")
    azurite.client().get_blob_client(container, "k").set_standard_blob_tier("Archive")

    after = store.head(key="k")

    assert (after.storage_class, after.digests) == ("Archive", None)
    assert (after.size, after.etag, after.version_id) == (before.size, before.etag, before.version_id)


def test_a_block_of_another_attempt_is_not_committed(azurite: AzureServer) -> None:
    store = opened(azurite, azurite.container())
    stale, upload = store.begin_upload(key="k"), store.begin_upload(key="k")
    foreign = stale.put_part(1, b"stale")

    with pytest.raises(NotFound):
        upload.commit([foreign])
    with pytest.raises(NotFound):
        upload.commit([PartReceipt(1, 5, f"{upload.id}-000001")])

    assert upload.parts() == []


def test_blocks_tell_the_marks_they_were_sent_with_and_either_may_be_committed(azurite: AzureServer) -> None:
    store = opened(azurite, azurite.container())
    begun = store.begin_upload(key="k")
    wrong, right = begun.put_part(1, b"wrong", mark="0badcafe"), begun.put_part(1, b"right", mark="600dcafe")
    begun.put_part(2, b", unmarked")

    parts = store.resume_upload(key="k", upload_id=begun.id).parts()

    assert sorted((part.number, part.size, part.mark) for part in parts) == [
        (1, 5, "0badcafe"),
        (1, 5, "600dcafe"),
        (2, 10, ""),
    ]
    assert [(p.key, p.upload_id) for p in store.pending_uploads(prefix="")] == [("k", begun.id)]
    begun.commit([part for part in parts if part.tag != wrong.tag])
    assert (right.tag in {part.tag for part in parts}, content(store, "k")) == (True, b"right, unmarked")


def test_an_upload_that_an_earlier_release_began_is_taken_up(azurite: AzureServer) -> None:
    container = azurite.container()
    store, blob = opened(azurite, container), azurite.client().get_blob_client(container, "k")
    blob.stage_block("0123456789abcdef-000001", b"theirs")

    upload = store.resume_upload(key="k", upload_id="0123456789abcdef")

    assert upload.parts() == [PartReceipt(1, 6, "0123456789abcdef-000001")]
    upload.commit([*upload.parts(), upload.put_part(2, b" and ours", mark="600dcafe")])
    assert content(store, "k") == b"theirs and ours"
