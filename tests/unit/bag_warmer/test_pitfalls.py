"""Pitfalls of bringing a segment back that have no other home; docs/pitfalls.md lists them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.location import Location, LocationId, Provider
from common.domain.segment import PlannedFile
from common.outcome import Done, Outcome, Wait
from common.ports import ObjectStore, Tier
from unit.common.runtime.archives import (
    AZURE,
    BAG,
    COLD,
    Archive,
    Hold,
    as_fetched,
    planned,
    segment_job,
    some_files,
)

QUARTER = timedelta(minutes=15)
OTHER = Location(LocationId("other"), Provider.MEMORY, "other", title="Other")


def thawed(archive: Archive, files: list[PlannedFile], hold: Hold | None = None) -> Outcome:
    return ThawSegment(stores=archive, warming=Warming(wish=Wish(tier=Tier.STANDARD)))(segment_job(files, hold))


def key(path: str) -> str:
    return COLD.root(BAG) + path


def test_pitfall_09_an_expired_copy_is_asked_for_again() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    thawed(archive, files, hold)
    archive.clock.advance(hours=5, days=4)

    again = thawed(archive, files, hold)

    assert again == Wait(QUARTER, "waiting for 1 object to thaw (Standard, within 5 hours)", timedelta(hours=5))
    assert archive.thawing.keys == [key("data/a")] * 2


def test_pitfall_09_a_window_is_prolonged_a_bounded_number_of_times_also_where_nobody_sweeps() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    always_short = Wish(tier=Tier.STANDARD, days=1, margin=timedelta(days=2))
    step = ThawSegment(stores=archive, warming=Warming(wish=always_short))
    step(segment_job(files, hold))
    archive.clock.advance(hours=6)

    looks = [step(segment_job(files, hold)) for _ in range(6)]

    assert looks == [Done(said="1 object can be read")] * 6
    assert len(archive.thawing.asked) == 1 + 3


class Elsewhere(Archive):
    """Another destination beside it, which has nothing."""

    def __call__(self, location: LocationId) -> ObjectStore:
        return self.other if location == OTHER.id else super().__call__(location)

    def __init__(self) -> None:
        super().__init__()
        self.other = MemoryStore(MemoryBucket(clock=self.clock))


def test_pitfall_16_what_lies_at_one_destination_is_thawed_for_another_all_the_same() -> None:
    archive = Elsewhere()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    archive.put("data/a", b"a", at=AZURE)
    job = segment_job(files)

    for_azure = ThawSegment(stores=archive, warming=Warming())(job)
    asked_for_azure = list(archive.thawing.asked)
    for_other = ThawSegment(stores=archive, warming=Warming())(replace(job, destination=OTHER))

    assert (type(for_azure), asked_for_azure) == (Done, [])
    assert (type(for_other), archive.thawing.keys) == (Wait, [key("data/a")])


def test_pitfall_20_an_empty_file_is_thawed_like_any_other_and_a_segment_of_none_is_ready() -> None:
    archive = Archive()
    files = some_files(archive, {"data/empty": b""}, storage_class="GLACIER")

    assert isinstance(thawed(archive, files), Wait)
    assert archive.thawing.keys == [key("data/empty")]
    assert thawed(archive, []) == Done(said="0 objects can be read")


def test_pitfall_30_fetched_files_lie_in_an_earlier_version_and_are_not_thawed() -> None:
    archive = Archive()
    files = [as_fetched(planned("data/a", b"a", archive.put("data/b", b"b")), version=1)]

    assert thawed(archive, files) == Done(said="0 objects can be read")
    assert archive.source.calls["list"] == 0
