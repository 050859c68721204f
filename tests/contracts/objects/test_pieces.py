"""Reading whole small objects, and ranges of large ones into buffers: what every ObjectStore does."""

from __future__ import annotations

import pytest

from common.errors import Changed, NotFound, StoreUnavailable, TruncatedBody
from common.ports import ObjectStore
from contracts.objects.conftest import Place
from contracts.objects.cutting_proxy import cutting_proxy

BIG = bytes(range(256)) * 4096
"""1 MiB."""


@pytest.mark.parametrize("key", ["k", "by//the sdk"])
@pytest.mark.parametrize("data", [b"", b"hello"])
def test_a_small_object_is_fetched_in_one_piece_with_its_facts(store: ObjectStore, data: bytes, key: str) -> None:
    if fault := store.name_fault(key):
        pytest.skip(fault)
    made = store.create(key=key, data=data, content_type="image/jp2")

    into = memoryview(bytearray(8))

    found = store.fetch(key=key, into=into, if_match=made.etag, version_id=made.version_id)

    assert found is not None
    assert bytes(into[: len(data)]) == data
    assert (found.size, found.etag, found.content_type) == (len(data), made.etag, "image/jp2")


def test_an_object_that_is_too_large_to_fetch_is_left(store: ObjectStore) -> None:
    store.create(key="k", data=b"hello")

    assert store.fetch(key="k", into=memoryview(bytearray(4))) is None


def test_fetching_another_object_than_the_pinned_one_is_told(store: ObjectStore) -> None:
    store.create(key="k", data=b"x")

    with pytest.raises(Changed):
        store.fetch(key="k", into=memoryview(bytearray(10)), if_match="0123456789abcdef")
    with pytest.raises(NotFound):
        store.fetch(key="no/such/key", into=memoryview(bytearray(10)))


@pytest.mark.parametrize("key", ["k é+%20", "by//the sdk"])
@pytest.mark.parametrize(("first", "length"), [(0, 10), (0, 1), (3, 4), (9, 1)])
def test_a_buffer_is_filled_from_any_place(store: ObjectStore, key: str, first: int, length: int, place: Place) -> None:
    if store.name_fault(key) or (place.name == "seaweedfs" and "//" in key):
        pytest.skip("no such key")
    made = store.create(key=key, data=b"0123456789", content_type="image/jp2")
    into = memoryview(bytearray(length))

    info = store.read_into(key=key, into=into, first=first, if_match=made.etag, version_id=made.version_id)

    assert bytes(into) == b"0123456789"[first : first + length]
    assert (info.size, info.etag, info.content_type) == (10, made.etag, "image/jp2")


@pytest.mark.parametrize(("first", "length"), [(8, 3), (10, 1), (50, 5), (0, 11)])
def test_a_buffer_for_more_than_there_is_is_an_error(store: ObjectStore, first: int, length: int) -> None:
    store.create(key="digits", data=b"0123456789")

    with pytest.raises(ValueError, match="digits"):
        store.read_into(key="digits", into=memoryview(bytearray(length)), first=first)


def test_a_buffer_is_not_filled_from_another_object_than_the_pinned_one(store: ObjectStore) -> None:
    store.create(key="k", data=b"x")
    into = memoryview(bytearray(1))

    with pytest.raises(Changed):
        store.read_into(key="k", into=into, if_match="0123456789abcdef")
    with pytest.raises(NotFound):
        store.read_into(key="no/such/key", into=into)


@pytest.mark.parametrize("after", [0, 1, 300_000])
def test_a_cut_body_fills_no_buffer(place: Place, after: int) -> None:
    if not place.remote:
        pytest.skip("no connection to cut")
    place.open().create(key="cut", data=BIG[:1_000_000])

    with cutting_proxy(place.settings["endpoint"], after=after) as endpoint:
        if place.name == "azure":
            endpoint = endpoint.rstrip("/")
        with pytest.raises((TruncatedBody, StoreUnavailable)):
            place.open(endpoint=endpoint).read_into(key="cut", into=memoryview(bytearray(900_000)), first=50_000)


@pytest.mark.parametrize("after", [0, 1, 300_000])
def test_an_object_that_is_cut_is_not_fetched(place: Place, after: int) -> None:
    if not place.remote:
        pytest.skip("no connection to cut")
    place.open().create(key="cut", data=BIG[:1_000_000])

    with cutting_proxy(place.settings["endpoint"], after=after) as endpoint:
        if place.name == "azure":
            endpoint = endpoint.rstrip("/")
        with pytest.raises((TruncatedBody, StoreUnavailable)):
            place.open(endpoint=endpoint).fetch(key="cut", into=memoryview(bytearray(1_000_000)))
