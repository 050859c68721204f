"""How every ObjectStore lists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from common.ports import ObjectStore
from contracts.objects.conftest import Place
from contracts.objects.readback import keys

ORDERED = ("A", "a b", "a-b", "a.b", "a/b", "a0", "b/c/d", "b/c0", "é", "～", "～z", "\U0001f600", "\U0001f600a")


def fill(store: ObjectStore, names: list[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: store.create(key=name, data=b"x"), names))


def test_an_empty_bucket_lists_nothing(store: ObjectStore) -> None:
    assert [keys(store), keys(store, prefix="any/"), keys(store, start_after="k")] == [[], [], []]


def test_keys_come_in_utf8_byte_order(place: Place, store: ObjectStore) -> None:
    names = sorted(set(ORDERED) - place.unfit, key=str.encode)
    fill(store, names[::-1])

    assert keys(store) == names


@pytest.mark.parametrize("last", ["", "A", "a.b", "a/", "a/b", "b", "b/c", "é", "zzz", "～z"])
def test_start_after_leaves_out_that_key_and_those_before(place: Place, store: ObjectStore, last: str) -> None:
    if last in place.unfit:
        pytest.skip("the server takes such a key for a folder")
    names = sorted(set(ORDERED) - place.unfit, key=str.encode)
    fill(store, names)

    assert keys(store, start_after=last) == [name for name in names if name.encode() > last.encode()]


def test_more_than_a_page_is_listed_whole(store: ObjectStore) -> None:
    names = [f"many/{number:05}" for number in range(1_001)]
    fill(store, names)

    assert keys(store, prefix="many/") == names
    assert keys(store, prefix="many/", start_after="many/00998") == names[999:]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("b1/v1/", ["b1/v1/bagit.txt"]),
        ("b1/v1", ["b1/v1/bagit.txt", "b1/v10/bagit.txt"]),
        ("b1/", ["b1/v1/bagit.txt", "b1/v10/bagit.txt", "b1/v2/bagit.txt"]),
        ("b1/v1/bagit.txt", ["b1/v1/bagit.txt"]),
        ("b", ["b1/v1/bagit.txt", "b1/v10/bagit.txt", "b1/v2/bagit.txt", "b2/v1/bagit.txt"]),
        ("B", []),
        ("b1/v1//", []),
    ],
)
def test_a_prefix_is_compared_character_by_character(
    place: Place, store: ObjectStore, prefix: str, expected: list[str]
) -> None:
    if prefix in place.unfit:
        pytest.skip("the server cannot hold such keys")
    fill(store, ["b1/v1/bagit.txt", "b1/v10/bagit.txt", "b1/v2/bagit.txt", "b2/v1/bagit.txt"])

    assert keys(store, prefix=prefix) == expected


def test_a_list_tells_what_a_head_tells(store: ObjectStore) -> None:
    store.create(key="k", data=b"12345")

    [listed] = store.list(prefix="")

    head = store.head(key="k")
    assert (listed.key, listed.size, listed.etag) == (head.key, head.size, head.etag)
    assert listed.storage_class == head.storage_class
