"""Several small objects at a time: what every ObjectStore does."""

from __future__ import annotations

import pytest

from common.errors import AlreadyExists, Changed, NameNotAllowed, NotFound, TransientError
from common.ports import Fetched, New, ObjectInfo, ObjectStore, Wanted
from contracts.objects.conftest import Place
from contracts.objects.cutting_proxy import cutting_proxy

KEYS = [f"bag/data/{number:02} é+%20.bin" for number in range(20)]
AT_ONCE = [1, 4, 64]


def content(number: int) -> bytes:
    """Of different lengths; the first has none."""
    return bytes([number]) * (number * 997)


def wanted(keys: list[str], *, room: int = 20_000, **how: str) -> list[Wanted]:
    return [Wanted(key, memoryview(bytearray(room)), **how) for key in keys]


def infos(found: list[Fetched]) -> list[ObjectInfo]:
    return [one.answer for one in found if isinstance(one.answer, ObjectInfo)]


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_many_are_created_and_fetched_each_with_its_bytes_and_facts(store: ObjectStore, at_once: int) -> None:
    new = [New(key, content(n), "image/jp2", {"sha256": f"{n:064}"}) for n, key in enumerate(KEYS)]

    made = store.create_several(new, at_once=at_once)

    asked = wanted(KEYS)
    found = store.fetch_several(asked, at_once=at_once)
    assert [(info.key, info.size, info.content_type) for info in infos(found)] == [
        (key, len(content(n)), "image/jp2") for n, key in enumerate(KEYS)
    ]
    assert [bytes(one.into[: info.size]) for one, info in zip(asked, infos(found), strict=True)] == [
        content(n) for n in range(len(KEYS))
    ]
    assert [info.etag for info in infos(found)] == [one.etag for one in made if isinstance(one, ObjectInfo)]
    assert store.head(key=KEYS[7]).metadata == {"sha256": f"{7:064}"}
    assert all(0 < one.began <= one.ended for one in found)


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_what_is_wrong_with_one_is_told_of_that_one_alone(store: ObjectStore, at_once: int) -> None:
    made = store.create(key="there", data=b"hello")
    asked = [
        *wanted(["no/such/key"]),
        *wanted(["there"], if_match="0123456789abcdef"),
        *wanted(["there"], room=4),
        *wanted(["there"], if_match=made.etag),
    ]

    gone, changed, longer, good = [one.answer for one in store.fetch_several(asked, at_once=at_once)]

    assert isinstance(gone, NotFound)
    assert isinstance(changed, Changed)
    assert longer is None
    assert isinstance(good, ObjectInfo)
    assert bytes(asked[3].into[:5]) == b"hello"


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_what_is_there_is_left_and_the_others_are_made(store: ObjectStore, at_once: int) -> None:
    keys = [f"met/{name}.bin" for name in "abc"]
    store.create(key=keys[1], data=b"first")

    made = store.create_several([New(key, b"second") for key in keys], at_once=at_once)

    assert [type(answer) for answer in made] == [ObjectInfo, AlreadyExists, ObjectInfo]
    asked = wanted(keys)
    store.fetch_several(asked, at_once=at_once)
    assert [bytes(one.into[:6]).rstrip(b"\0") for one in asked] == [b"second", b"first", b"second"]


def test_what_the_provider_cannot_hold_is_not_made_and_the_others_are(store: ObjectStore) -> None:
    hostile = ["", "nul\0", "/".join(["x" * 200] * 6), "trailing./dot."]
    faulty = [key for key in hostile if store.name_fault(key)]

    made = store.create_several([New(key, b"x") for key in ["held/first.bin", *faulty, "held/last.bin"]], at_once=4)

    assert [isinstance(answer, ObjectInfo) for answer in made] == [True, *[False] * len(faulty), True]
    assert all(answer is None or isinstance(answer, NameNotAllowed) for answer in made[1:-1])


def test_a_label_that_headers_cannot_say_is_not_written_otherwise(store: ObjectStore) -> None:
    said = {"sha256": "a\r\nx-amz-meta-evil: 1"}

    made = store.create_several([New("label/a.bin", b"x", None, said), New("label/b.bin", b"x")], at_once=2)

    assert isinstance(made[1], ObjectInfo)
    assert made[0] is None or store.head(key="label/a.bin").metadata == said


def test_a_pinned_version_is_fetched_though_a_later_one_exists(store: ObjectStore) -> None:
    made = store.create(key="k", data=b"x")

    found = store.fetch_several([Wanted("k", memoryview(bytearray(1)), made.etag, made.version_id)], at_once=2)

    assert infos(found)[0].version_id == made.version_id


def test_nobody_is_asked_for_once_it_is_over(store: ObjectStore) -> None:
    store.create(key="k", data=b"x")
    left = iter([True, True, False, False, False])

    found = store.fetch_several(wanted(["k"] * 5), at_once=1, going_on=lambda: next(left))

    assert [one.asked for one in found] == [True, True, False, False, False]


def test_what_is_raised_in_between_goes_through_and_the_store_works_on(store: ObjectStore) -> None:
    store.create(key="k", data=b"x")
    calls = iter(range(10))

    def going_on() -> bool:
        if next(calls) == 3:
            raise KeyError("enough")
        return True

    with pytest.raises(KeyError):
        store.fetch_several(wanted(["k"] * 5), at_once=2, going_on=going_on)

    assert len(infos(store.fetch_several(wanted(["k"] * 5), at_once=2))) == 5


@pytest.mark.parametrize("nobody", [[], ()])
def test_none_are_none(store: ObjectStore, nobody: list[Wanted]) -> None:
    assert store.fetch_several(nobody, at_once=8) == []
    assert store.create_several([], at_once=8) == []


@pytest.mark.parametrize("after", [0, 1, 300_000])
def test_what_is_cut_off_is_never_taken_for_whole(place: Place, after: int) -> None:
    if not place.remote:
        pytest.skip("no connection to cut")
    data = bytes(range(256)) * 1600
    place.open().create_several([New(f"cut/{n}", data) for n in range(6)], at_once=4)

    with cutting_proxy(place.settings["endpoint"], after=after) as endpoint:
        if place.name == "azure":
            endpoint = endpoint.rstrip("/")
        asked = wanted([f"cut/{n}" for n in range(6)], room=len(data))
        found = place.open(endpoint=endpoint).fetch_several(asked, at_once=2)

    whole = [one for one, told in zip(asked, found, strict=True) if isinstance(told.answer, ObjectInfo)]
    assert len(whole) < len(asked)
    assert all(bytes(one.into) == data for one in whole)
    assert all(told.answer is None or isinstance(told.answer, ObjectInfo | TransientError) for told in found)
