"""What every ObjectStore does with objects. Run by each adapter against a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import (
    AccessDenied,
    AlreadyExists,
    Changed,
    NotFound,
    StoreUnavailable,
    TruncatedBody,
)
from common.ports import ObjectStore
from contracts.objects.conftest import Place
from contracts.objects.cutting_proxy import cutting_proxy
from contracts.objects.readback import content, keys

BIG = bytes(range(256)) * 4096 * 9 + b"end"
"""9 MiB and 3 bytes: many blocks of every store."""


def test_a_created_object_is_read_back_with_its_facts(store: ObjectStore) -> None:
    made = store.create(key="a/b.txt", data=b"hello")

    found = store.head(key="a/b.txt")

    assert (found.key, found.size, found.etag) == ("a/b.txt", 5, made.etag)
    assert found.last_modified is not None
    assert found.last_modified.tzinfo is not None
    assert content(store, "a/b.txt") == b"hello"


def test_an_object_may_be_given_as_a_view(store: ObjectStore) -> None:
    store.create(key="view", data=memoryview(b"..hello..")[2:7])

    assert content(store, "view") == b"hello"


def test_content_type_and_metadata_are_kept(store: ObjectStore) -> None:
    store.create(key="k", data=b"x", content_type="image/jp2", metadata={"Sha256": "ab", "ingest": "one two"})

    found = store.head(key="k")

    assert (found.content_type, found.metadata) == ("image/jp2", {"sha256": "ab", "ingest": "one two"})


def test_metadata_named_like_a_header_stays_metadata(store: ObjectStore, place: Place) -> None:
    if place.name == "azure":
        pytest.skip("metadata names are C# identifiers in Azure: no dash")
    store.create(key="k", data=b"x", metadata={"content-type": "not a type"})

    assert store.head(key="k").metadata == {"content-type": "not a type"}


def test_creating_over_an_object_leaves_it_as_it_is(store: ObjectStore) -> None:
    store.create(key="k", data=b"first")

    with pytest.raises(AlreadyExists):
        store.create(key="k", data=b"second")

    assert content(store, "k") == b"first"


def test_creating_with_metadata_over_an_object_leaves_it_as_it_is(store: ObjectStore) -> None:
    store.create(key="k", data=b"first")

    with pytest.raises(AlreadyExists):
        store.create(key="k", data=b"second", metadata={"a": "b"})

    assert content(store, "k") == b"first"


def test_of_sixteen_threads_that_create_one_key_exactly_one_wins(store: ObjectStore) -> None:
    def create(number: int) -> int | None:
        try:
            store.create(key="raced", data=b"%02d" % number)
        except (AlreadyExists, StoreUnavailable):
            return None
        return number

    with ThreadPoolExecutor(16) as threads:
        winners = [number for number in threads.map(create, range(16)) if number is not None]

    assert len(winners) == 1
    assert content(store, "raced") == b"%02d" % winners[0]


def test_an_empty_object_is_read_as_nothing(store: ObjectStore) -> None:
    store.create(key="empty", data=b"")

    assert store.head(key="empty").size == 0
    assert [content(store, "empty"), content(store, "empty", first=0, length=0)] == [b"", b""]


def test_a_big_object_arrives_whole(store: ObjectStore) -> None:
    store.create(key="big", data=BIG)

    assert content(store, "big") == BIG


@pytest.mark.parametrize(
    ("first", "length", "expected"),
    [
        (0, 4, b"0123"),
        (3, 4, b"3456"),
        (6, None, b"6789"),
        (9, 1, b"9"),
        (0, 10, b"0123456789"),
        (0, None, b"0123456789"),
        (10, None, b""),
        (10, 0, b""),
        (4, 0, b""),
    ],
)
def test_a_range_is_read_exactly(store: ObjectStore, first: int, length: int | None, expected: bytes) -> None:
    store.create(key="digits", data=b"0123456789")

    with store.read(key="digits", first=first, length=length) as body:
        assert (body.info.size, b"".join(map(bytes, body))) == (10, expected)


@pytest.mark.parametrize(("first", "length"), [(8, 3), (10, 1), (11, None), (11, 0), (50, 5), (-1, 2), (2, -1)])
def test_a_range_past_the_end_is_an_error(store: ObjectStore, first: int, length: int | None) -> None:
    store.create(key="digits", data=b"0123456789")

    with pytest.raises(ValueError, match="digits"), store.read(key="digits", first=first, length=length):
        pass


def test_reading_may_stop_early(store: ObjectStore) -> None:
    store.create(key="big", data=BIG)

    with store.read(key="big") as body:
        begun = bytes(next(iter(body)))

    assert BIG.startswith(begun)
    assert content(store, "big", first=len(BIG) - 3) == b"end"


def test_the_readers_own_error_stays_its_own(store: ObjectStore) -> None:
    store.create(key="k", data=b"x")

    with pytest.raises(FileNotFoundError, match="mine"), store.read(key="k"):
        raise FileNotFoundError("mine")


def test_a_pinned_etag_reads_while_it_is_the_objects(store: ObjectStore) -> None:
    made = store.create(key="k", data=b"pinned")

    assert content(store, "k", if_match=made.etag) == b"pinned"


@pytest.mark.parametrize(("first", "length"), [(0, None), (1, 2), (6, None), (0, 0)])
def test_another_etag_than_the_pinned_one_is_a_change(store: ObjectStore, first: int, length: int | None) -> None:
    store.create(key="k", data=b"pinned")

    with (
        pytest.raises(Changed),
        store.read(key="k", first=first, length=length, if_match="0123456789abcdef"),
    ):
        pass


@pytest.mark.parametrize("key", ["nothing", "no/such/key", "no//such"])
def test_what_is_not_there_is_not_found(store: ObjectStore, key: str) -> None:
    with pytest.raises(NotFound):
        store.head(key=key)
    with pytest.raises(NotFound):
        content(store, key)


def test_a_missing_bucket_is_not_found(place: Place) -> None:
    if place.name == "memory":
        pytest.skip("a bucket in memory is made when it is named")
    if place.name == "seaweedfs":
        pytest.skip("this server makes a bucket on the first write")
    store = place.open(bucket="there-is-no-such-bucket")

    with pytest.raises(NotFound):
        keys(store)
    with pytest.raises(NotFound):
        store.head(key="k")
    with pytest.raises(NotFound):
        content(store, "k")
    with pytest.raises(NotFound):
        store.create(key="k", data=b"x")


def test_wrong_credentials_are_denied(place: Place) -> None:
    if place.name not in ("seaweedfs", "azure"):
        pytest.skip("this server checks no credentials")
    place.open().create(key="k", data=b"x")
    wrong = {"account_key": "d3Jvbmc="} if place.name == "azure" else {"secret_access_key": "wrong"}
    store = place.open(**wrong)

    for act in (
        lambda: keys(store),
        lambda: store.head(key="k"),
        lambda: content(store, "k"),
        lambda: store.create(key="new", data=b"x"),
        lambda: store.begin_upload(key="new").put_part(1, b"x"),
    ):
        with pytest.raises(AccessDenied) as denied:
            act()
        assert "wrong" not in str(denied.value)
        assert "d3Jvbmc" not in str(denied.value)


def test_an_unreachable_store_is_unavailable(place: Place) -> None:
    if not place.remote:
        pytest.skip("nothing to reach")
    store = place.open(endpoint="http://127.0.0.1:9/devstoreaccount1")

    for act in (lambda: keys(store), lambda: content(store, "k"), lambda: store.create(key="k", data=b"x")):
        with pytest.raises(StoreUnavailable):
            act()


@pytest.mark.parametrize("after", [0, 1, 300_000])
@pytest.mark.parametrize("key", ["cut", "cut//by the sdk"])
def test_a_body_that_is_cut_never_passes_for_whole(place: Place, key: str, after: int) -> None:
    if not place.remote or (place.name == "seaweedfs" and "//" in key):
        pytest.skip("no connection to cut, or no such key")
    place.open().create(key=key, data=BIG[:1_000_000])
    received = bytearray()

    with cutting_proxy(place.settings["endpoint"], after=after) as endpoint:
        if place.name == "azure":
            endpoint = endpoint.rstrip("/")
        with (
            pytest.raises((TruncatedBody, StoreUnavailable)),
            place.open(endpoint=endpoint).read(key=key) as body,
        ):
            for block in body:
                received += block

    assert BIG.startswith(received)
