"""Importing in parts: ranges that are cut, and walked by whoever is free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bag_register.importing import Pace
from bag_register.ranges import cut_of
from bag_register.wiring import make_steps
from common.domain.bag import BagVersion
from common.domain.layout import Layout
from common.domain.location import Location, LocationId, Provider
from common.ledger.tables import bag_versions, imports
from common.ports import ObjectInfo
from unit.bag_register.builders import Register, a_bag, counts

PLACE = Location(LocationId("cold"), Provider.MEMORY, "cold", "bags/")
FILES = ("bag-info.txt", "bagit.txt", "data/a", "manifest-sha256.txt")


class Keys:
    """A listing of nothing but keys, and how often it was asked."""

    def __init__(self, *bags: str, location: Location = PLACE) -> None:
        self.asked = 0
        self._keys = sorted((f"{location.prefix}{bag}/{file}" for bag in bags for file in FILES), key=str.encode)

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        self.asked += 1
        for key in self._keys:
            if key.startswith(prefix) and key.encode() > (start_after or "").encode():
                yield ObjectInfo(key=key, size=1, etag="")


@pytest.mark.parametrize(
    ("bags", "after", "until", "expected"),
    [
        ([f"digitised/b{n:03}/v1" for n in range(200)], "bags/", None, "bags/digitised/b100/v1/"),
        ([f"digitised/b{n:03}/v1" for n in range(200)], "bags/digitised/b100/v1/", None, "bags/digitised/b150/v1/"),
        ([f"digitised/b{n:03}/v1" for n in range(200)], "bags/", "bags/digitised/b100/", "bags/digitised/b050/v1/"),
        (["a/1/v1", "a/2/v1"], "bags/", None, "bags/a/2/v1/"),
        (["a/1/v1", "a/1/v2"], "bags/a/1/v1/bagit.txt", None, "bags/a/1/v2/"),
        (["a/1/v1", "日/1/v1"], "bags/", None, "bags/日/1/v1/"),
        (["a/1/v1"], "bags/", None, None),
        ([], "bags/", None, None),
        (["a/1/v1", "a/2/v1"], "bags/", "bags/a/1/v1/z", None),
    ],
)
def test_a_range_is_cut_in_the_middle_and_between_bags(
    bags: list[str], after: str, until: str | None, expected: str | None
) -> None:
    assert cut_of(Keys(*bags), location=PLACE, prefix="", after=after, until=until) == expected


def test_a_cut_is_found_with_few_questions() -> None:
    keys = Keys(*(f"digitised/PP/MIA/b{n:05}/v1" for n in range(300)))
    cut_of(keys, location=PLACE, prefix="", after="bags/", until=None)
    assert keys.asked < 50


def test_ranges_are_cut_where_the_layout_puts_bags() -> None:
    place = replace(PLACE, layout=Layout("items/{externalIdentifier}/of/{space}/v{n}"))
    keys = Keys("items/1/of/a/v1", "items/2/of/a/v1", location=place)
    assert cut_of(keys, location=place, prefix="", after="bags/", until=None) == "bags/items/2/of/a/v1/"


def test_parts_of_an_import_count_every_bag_once(register: Register) -> None:
    for number in range(40):
        register.put(BagVersion.of("digitised", f"b{number}", 1), a_bag({"a": b"a"}, identifier=f"b{number}"))
    pace = Pace(bags=2, batch=2, share_every=0, parts=4)
    register.steps |= make_steps(engine=register.engine, stores=register.stores, lists=register.lists, pace=pace)
    import_id = register.start_import()

    register.work(import_id)
    walked = [import_id]
    while waiting := [row["id"] for row in register.rows(imports) if row["id"] not in walked]:
        register.work(waiting[0])
        walked.append(waiting[0])
    register.work(import_id)

    record, problems = register.imported(import_id)
    assert (record.state, counts(record), record.parts, problems) == ("finished", (40, 0, 0), 0, [])
    assert (len(register.rows(bag_versions)), len(walked) >= 4) == (40, True)
    assert all(row["registered"] < 40 for row in register.rows(imports))
