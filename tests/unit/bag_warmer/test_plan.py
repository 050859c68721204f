"""Planning: read the manifests, refuse what cannot be before it costs anything, cut the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from bag_warmer.presence import Presence
from bag_warmer.step import MOST_FREEZES, Plan
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId
from common.domain.naming import Names
from common.domain.segment import PlannedFile, SegmentLimits
from common.domain.storage_class import Classes
from common.errors import NotFound, NotRestored
from common.jobs import Interrupted
from common.outcome import Done, Outcome, Planned, Rejected, SeenClasses, Wait
from common.ports import Limits, Tier
from unit.common.domain.bagit.bags import bag, digest
from unit.common.runtime.archives import AZURE, BAG, COLD, MIB, Archive, Hold, replica_job

QUARTER = timedelta(minutes=15)
V2 = replace(BAG, version=Version(2))


class Presences:
    """The ledger's answers, by version."""

    def __init__(self, **by_version: Presence) -> None:
        self._by_version = by_version

    def locations(self) -> list[Location]:
        return [COLD, AZURE]

    def presence(self, bag: BagVersion, version: Version, location: LocationId) -> Presence:
        assert (bag, location) == (V2, AZURE.id)
        return self._by_version[str(version)]


def pins(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: digest(body) for path, body in files.items() if not path.startswith(("data/", "zz/"))}


def plan(
    archive: Archive,
    files: Mapping[str, bytes],
    hold: Hold | None = None,
    *,
    registered: Mapping[str, str] | None = None,
    records: Presences | None = None,
    of: BagVersion = BAG,
    limits: SegmentLimits | None = None,
    names: Names = Names.REFUSE,
) -> Outcome:
    warming = Warming(wish=Wish(tier=Tier.STANDARD), limits=limits or SegmentLimits())
    step = Plan(stores=archive, records=records or Presences(), warming=warming, names=lambda _: names)
    return step(replica_job(hold, bag=of, registered_pins=pins(files) if registered is None else registered))


def written(outcome: Outcome) -> tuple[Planned, list[PlannedFile]]:
    assert isinstance(outcome, Done), outcome
    fact, _classes = outcome.writes
    assert isinstance(fact, Planned)
    return fact, [file for segment in fact.segments for file in segment.files]


def test_the_storage_classes_of_the_source_are_told_as_the_plan_s_own_list_has_them() -> None:
    archive, files = Archive(), bag({"data/a": b"a", "data/b": b"bb"})
    archive.put_bag({name: body for name, body in files.items() if name != "data/b"}, storage_class="GLACIER_IR")
    archive.put("data/b", files["data/b"])
    whole = sum(len(body) for body in files.values())

    outcome = plan(archive, files)

    assert isinstance(outcome, Done)
    assert outcome.writes[1] == SeenClasses(
        COLD.id, Classes({"GLACIER_IR": [len(files) - 1, whole - 2], "STANDARD": [1, 2]})
    )


def test_a_plan_has_every_file_with_its_digests_and_pins_cut_into_segments() -> None:
    archive, files = Archive(), bag({"data/a": b"a", "data/empty": b"", "data/é💾": b"bb"})
    archive.put_bag(files)

    outcome = plan(archive, files, limits=SegmentLimits(files=2))

    assert isinstance(outcome, Done)
    fact, _classes = outcome.writes
    assert isinstance(fact, Planned)
    segments = list(fact.segments)
    total = sum(map(len, files.values()))
    assert outcome.said == f"6 files, {total} bytes"
    assert (fact.files, fact.bytes, fact.pins) == (6, total, pins(files))
    assert [(segment.number, len(segment.files)) for segment in segments] == [(1, 2), (2, 2), (3, 2)]
    found = {file.path: file for segment in segments for file in segment.files}
    for path, body in files.items():
        info = archive.source.head(key=COLD.root(BAG) + path)
        assert found[path].checksums.items() >= {("sha256", digest(body))}
        assert (found[path].key_path, found[path].size) == (f"v1/{path}", len(body))
        assert (found[path].etag, found[path].version_id, found[path].fetched) == (info.etag, info.version_id, False)


def test_a_segment_needs_no_thaw_where_the_list_says_that_each_of_its_files_can_be_read() -> None:
    classes = {"data/a": "GLACIER", "data/b": "GLACIER_IR", "data/c": "INTELLIGENT_TIERING", "data/d": None}
    fetch = "memory://cold/digitised/b1/v1/data/e 1 data/e\n"
    files = bag(
        dict.fromkeys(classes, b"x"),
        listed=dict.fromkeys([*classes, "data/e"], b"x"),
        tags={"fetch.txt": fetch.encode()},
    )
    archive = Archive()
    archive.put("data/e", b"x", storage_class="DEEP_ARCHIVE")
    for path, body in files.items():
        archive.put(path, body, bag=V2, storage_class=classes.get(path))

    outcome = plan(archive, files, of=V2, records=Presences(v1=Presence.REGISTERED), limits=SegmentLimits(files=1))

    fact, _classes = outcome.writes if isinstance(outcome, Done) else ()
    assert isinstance(fact, Planned)
    thawed = [segment.files[0].path for segment in fact.segments if not segment.readable]
    assert sorted(thawed) == ["data/a", "data/c"]


@pytest.mark.parametrize("readings", [1, 2])
@pytest.mark.parametrize("name", ["bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_a_bag_is_refused_only_when_two_readings_say_so(name: str, readings: int) -> None:
    archive, files = Archive(), bag({"data/a": b"a"})
    archive.put_bag(files)
    left = iter(range(readings))

    def spoil(key: str, block: bytes) -> bytes:
        good = not key.endswith(f"/{name}") or next(left, None) is None
        return block if good else block[:-2] + bytes([block[-2] ^ 1]) + block[-1:]

    archive.source.spoil = spoil

    assert type(plan(archive, files)) is {1: Done, 2: Rejected}[readings]


def test_frozen_tag_files_are_asked_for_and_nothing_of_the_payload() -> None:
    archive, hold, files = Archive(), Hold(), bag({f"data/{n}": b"x" for n in range(5)}, tags={"zz/notes.txt": b"n"})
    archive.put_bag(files, storage_class="GLACIER")

    waits = plan(archive, files, hold)
    asked = archive.thawing.keys
    archive.clock.advance(hours=4)
    still = plan(archive, files, hold)
    archive.clock.advance(hours=1)
    _, planned = written(plan(archive, files, hold))

    assert waits == Wait(QUARTER, "waiting for 4 tag files to thaw (Standard, within 5 hours)", timedelta(hours=5))
    assert still == waits
    assert (
        asked == archive.thawing.keys == sorted(COLD.root(BAG) + path for path in files if not path.startswith("data/"))
    )
    assert len(planned) == 9


def test_an_invalid_bag_is_rejected_before_any_of_its_payload_is_asked_for() -> None:
    archive, hold = Archive(), Hold()
    files = bag({"data/a": b"a"}, listed={"data/a": b"a", "data/gone": b"g"})
    archive.put_bag({path: body for path, body in files.items() if path.startswith("data/")}, storage_class="GLACIER")
    archive.put_bag({path: body for path, body in files.items() if not path.startswith("data/")})

    outcome = plan(archive, files, hold)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "bag_file_absent"
    assert "data/gone" in outcome.why
    assert outcome.for_user.startswith("the bag at the source is not valid, 1 problem: 'data/gone': ")
    assert archive.thawing.asked == []


def test_a_bag_that_is_not_the_registered_one_is_rejected_by_the_names_of_what_differs() -> None:
    archive, files = Archive(), bag({"data/a": b"a"})
    archive.put_bag(files)

    outcome = plan(archive, files, registered=pins(files) | {"bagit.txt": "0" * 64, "bag-info.txt": "1" * 64})

    told = "not the bytes the bag was registered with: bag-info.txt, bagit.txt"
    assert outcome == Rejected(code="manifest_changed", why=told, for_user=told)


def test_every_name_that_the_destination_cannot_hold_is_told_at_once() -> None:
    archive, files = Archive(), bag({f"data/{n:02}:": b"x" for n in range(25)} | {"data/good": b"g"})
    archive.put_bag(files, storage_class="GLACIER_IR")

    outcome = plan(archive, files)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "name_not_allowed"
    names = "; ".join(f"data/{n:02}:: a colon" for n in range(20))
    assert outcome.for_user == f"the destination cannot hold 25 names: {names}"


def test_names_are_mapped_where_the_destination_says_so_and_the_history_tells_how_many() -> None:
    archive, files = Archive(), bag({"data/a.": b"x", "data/b^": b"y", "data/c": b"z"})
    archive.put_bag(files)

    outcome = plan(archive, files, names=Names.MAP)

    _, planned = written(outcome)
    assert isinstance(outcome, Done)
    assert outcome.said.endswith(", 2 names mapped")
    assert outcome.detail == {"mappedNames": 2}
    assert {file.key_path: file.stored_as for file in planned if file.path.startswith("data/")} == {
        "v1/data/a.": "v1/data/a^2E",
        "v1/data/b^": "v1/data/b^5E",
        "v1/data/c": None,
    }
    assert {file.stored_as for file in planned if not file.path.startswith("data/")} == {None}


def test_a_mapped_name_that_still_cannot_be_held_is_refused() -> None:
    archive, files = Archive(), bag({"data/a:.": b"x"})
    archive.put_bag(files)

    outcome = plan(archive, files, names=Names.MAP)

    assert isinstance(outcome, Rejected)
    assert outcome.for_user == "the destination cannot hold 1 name: data/a:.: a colon"


def test_files_that_the_destination_cannot_hold_are_refused_before_the_thaw() -> None:
    archive, files = Archive(), bag({"data/large": b"x" * 1000, "data/small": b"x"})
    archive.put_bag(files)
    archive.destination.own_limits = Limits(max_single_put=1, min_part=1, max_part=1, max_parts=999, max_object=MIB)

    told = "1 file too large for the destination: data/large (1000 bytes)"
    assert plan(archive, files) == Rejected(code="too_large_for_destination", why=told, for_user=told)


def test_an_empty_place_is_not_a_bag() -> None:
    told = "there is nothing at Cold under digitised/b1/v1/"

    assert plan(Archive(), {}) == Rejected(code="source_vanished", why=told, for_user=told)


def test_version_10_is_not_part_of_version_1() -> None:
    archive, files = Archive(), bag({"data/a": b"a"})
    archive.put_bag(bag({"data/other": b"o"}), bag=replace(BAG, version=Version(10)))
    archive.put_bag(files)

    _, planned = written(plan(archive, files))

    assert {file.path for file in planned} == files.keys()


def updated(fetch: str, changed: Mapping[str, bytes]) -> dict[str, bytes]:
    """Version 2: `changed` is in it, data/a is in version 1."""
    listed = {"data/a": b"aaa", **changed}
    return bag(changed, listed=listed, tags={"fetch.txt": fetch.encode()})


@pytest.mark.parametrize("length", ["3", "-"])
def test_a_version_whose_files_lie_in_a_registered_one_plans_to_verify_them_there(length: str) -> None:
    archive, files = Archive(), updated(f"memory://cold/digitised/b1/v1/data/a {length} data/a\n", {"data/b": b"b"})
    archive.put("data/a", b"aaa")
    archive.put_bag(files, bag=V2)

    outcome = plan(archive, files, records=Presences(v1=Presence.REGISTERED), of=V2)

    fact, planned = written(outcome)
    (fetched,) = [file for file in planned if file.fetched]
    assert (fetched.path, fetched.key_path, fetched.size) == ("data/a", "v1/data/a", 3)
    assert fetched.checksums == {"sha256": hashlib.sha256(b"aaa").hexdigest()}
    assert fact.files == len(planned) == len(files) + 1
    assert isinstance(outcome, Done)
    assert outcome.said.endswith(", 1 of them in v1")


def test_the_lengths_that_fetch_txt_leaves_out_are_asked_for_before_the_plan_is_written() -> None:
    archive, files = Archive(), updated("memory://cold/digitised/b1/v1/data/a - data/a\n", {"data/b": b"b"})
    archive.put_bag(files, bag=V2)

    with pytest.raises(NotFound):
        plan(archive, files, records=Presences(v1=Presence.REGISTERED), of=V2)


@pytest.mark.parametrize(
    ("presence", "expected"),
    [
        (
            Presence.UNDER_WAY,
            Wait(timedelta(seconds=30), "waiting for v1, whose files it needs, to be registered at Azure"),
        ),
        (
            Presence.ABSENT,
            Rejected(
                "needs_earlier_version",
                "v1, whose files it needs, is not at Azure: backfill v1 first",
                "v1, whose files it needs, is not at Azure: backfill v1 first",
            ),
        ),
    ],
)
def test_a_version_is_only_worth_having_where_the_ones_it_needs_are(presence: Presence, expected: Outcome) -> None:
    archive, files = Archive(), updated("memory://cold/digitised/b1/v1/data/a 3 data/a\n", {"data/b": b"b"})
    archive.put_bag(files, bag=V2)

    assert plan(archive, files, records=Presences(v1=presence), of=V2) == expected


def test_urls_outside_the_bag_are_all_told_and_none_is_followed() -> None:
    lines = "https://example.org/a 3 data/a\nmemory://cold/digitised/b2/v1/data/b 1 data/b\n"
    files = bag({}, listed={"data/a": b"aaa", "data/b": b"b"}, tags={"fetch.txt": lines.encode()})
    archive = Archive()
    archive.put_bag(files, bag=V2)

    outcome = plan(archive, files, of=V2)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "fetch_outside_bag"
    assert outcome.for_user.startswith("fetch.txt has 2 URLs outside the bag: https://example.org/a is not")
    assert "memory://cold/digitised/b2/v1/data/b is not an object of this bag" in outcome.why


def test_a_tag_file_that_freezes_while_it_is_read_is_looked_at_again_but_not_for_ever() -> None:
    def before(operation: str, key: str) -> None:
        if operation == "read":
            raise NotRestored(f"{key} is in GLACIER and not restored")

    archive, hold, files = Archive(), Hold(), bag()
    archive.put_bag(files)
    archive.source.before = before

    outcomes = [plan(archive, files, hold) for _ in range(MOST_FREEZES + 1)]

    why = "a tag file froze again: digitised/b1/v1/bagit.txt is in GLACIER and not restored"
    assert outcomes[:-1] == [Wait(QUARTER, why)] * MOST_FREEZES
    assert isinstance(outcomes[-1], Rejected)
    assert outcomes[-1].code == "went_back_too_often"


def test_a_stopping_worker_leaves_off_reading() -> None:
    archive, files = Archive(), bag({f"data/{n}": b"x" for n in range(50)})
    archive.put_bag(files)

    with pytest.raises(Interrupted):
        plan(archive, files, Hold(stop_after=10))


def test_the_payload_is_listed_once_and_never_read() -> None:
    archive, files = Archive(), bag({f"data/{n:04}": b"x" for n in range(2500)})
    archive.put_bag(files)

    written(plan(archive, files))

    assert archive.source.listed == [2, 2, len(files)], "before the payload, behind it, and all for the inventory"
    assert archive.source.read_bytes == sum(len(body) for path, body in files.items() if not path.startswith("data/"))
