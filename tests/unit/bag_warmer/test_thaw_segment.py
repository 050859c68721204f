"""Thawing a segment: look, ask once for what is frozen, wait without polling by asking again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.segment import PlannedFile, SegmentLimits, cut
from common.errors import NoCapacity, Throttled
from common.jobs import Interrupted
from common.outcome import Done, Outcome, Rejected, Wait
from common.ports import Restore, Tier
from unit.common.runtime.archives import BAG, COLD, Archive, Hold, segment_job, some_files

QUARTER = timedelta(minutes=15)


def thawed(
    archive: Archive, files: list[PlannedFile], hold: Hold | None = None, *, wish: Wish | None = None, **facts: object
) -> Outcome:
    step = ThawSegment(stores=archive, warming=Warming(wish=wish or Wish(tier=Tier.STANDARD)))
    return step(segment_job(files, hold, **facts))


def key(path: str) -> str:
    return COLD.root(BAG) + path


def test_a_segment_of_readable_objects_is_released_without_a_request() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER_IR")

    assert thawed(archive, files) == Done(said="2 objects can be read")
    assert archive.thawing.asked == []


def test_each_class_gets_its_own_request_and_what_is_warm_gets_none() -> None:
    archive = Archive()
    files = [
        *some_files(archive, {"data/deep": b"d"}, storage_class="DEEP_ARCHIVE"),
        *some_files(archive, {"data/flexible": b"f"}, storage_class="GLACIER"),
        *some_files(archive, {"data/instant": b"i"}, storage_class="GLACIER_IR"),
        *some_files(
            archive, {"data/tiered": b"t"}, storage_class="INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS"
        ),
        *some_files(archive, {"data/tiered-warm": b"t"}, storage_class="INTELLIGENT_TIERING"),
        *some_files(archive, {"data/usual": b"u"}),
    ]

    outcome = thawed(archive, files, wish=Wish(tier=Tier.EXPEDITED, days=4))

    assert sorted(archive.thawing.asked) == [
        (key("data/deep"), 4, Tier.STANDARD),
        (key("data/flexible"), 4, Tier.EXPEDITED),
        (key("data/tiered"), None, Tier.STANDARD),
    ]
    assert outcome == Wait(QUARTER, "waiting for 3 objects to thaw (Expedited, within 12 hours)", timedelta(hours=12))


def test_what_is_being_restored_and_what_can_be_read_for_now_is_noted_by_class() -> None:
    archive, hold = Archive(), Hold()
    files = [
        *some_files(archive, {"data/a": b"a", "data/b": b"bb"}, storage_class="GLACIER"),
        *some_files(archive, {"data/deep": b"ddd"}, storage_class="DEEP_ARCHIVE"),
        *some_files(archive, {"data/instant": b"i"}, storage_class="GLACIER_IR"),
    ]

    def noted() -> object:
        thawed(archive, files, hold)
        return hold.progress["cold"]

    first = noted()
    archive.clock.advance(hours=6)
    then = noted()
    archive.clock.advance(hours=10)

    assert (first, then, noted()) == (
        {"restoring": {"GLACIER": [2, 3], "DEEP_ARCHIVE": [1, 3]}},
        {"restoring": {"DEEP_ARCHIVE": [1, 3]}, "restored": {"GLACIER": [2, 3]}},
        {"restored": {"GLACIER": [2, 3], "DEEP_ARCHIVE": [1, 3]}},
    )


def test_a_deep_intelligent_tiering_object_is_announced_with_its_own_48_hours() -> None:
    archive = Archive()
    files = some_files(
        archive, {"data/t": b"t"}, storage_class="INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS"
    )

    assert thawed(archive, files, wish=Wish(tier=Tier.BULK)) == Wait(
        QUARTER, "waiting for 1 object to thaw (Bulk, within 48 hours)", timedelta(hours=48)
    )


def test_the_ingest_s_own_tier_and_days_come_before_the_archive_s() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    thawed(archive, files, options={"tier": "Bulk", "restoredDays": 9})

    assert archive.thawing.asked == [(key("data/a"), 9, Tier.BULK)]


def test_objects_on_their_way_are_waited_for_and_never_asked_for_again() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER")
    outcomes = []

    for _ in range(20):
        outcomes.append(thawed(archive, files, hold))
        archive.clock.advance(minutes=15)
    outcomes.append(thawed(archive, files, hold))

    assert outcomes == [
        Wait(QUARTER, "waiting for 2 objects to thaw (Standard, within 5 hours)", timedelta(hours=5))
    ] * 20 + [Done(said="2 objects can be read")]
    assert archive.thawing.keys == [key("data/a"), key("data/b")]


def test_a_store_that_does_not_show_an_accepted_request_yet_is_not_asked_again_before_its_lag_is_over() -> None:
    archive, hold = Archive(), Hold()
    archive.thawing.before = lambda *_: Restore.ACCEPTED
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    thawed(archive, files, hold)
    archive.clock.advance(minutes=14)
    thawed(archive, files, hold)
    asked_within_the_lag = len(archive.thawing.asked)
    archive.clock.advance(minutes=2)
    thawed(archive, files, hold)

    assert (asked_within_the_lag, len(archive.thawing.asked)) == (1, 2)


@pytest.mark.parametrize("answer", [Restore.ALREADY_RESTORED, Restore.NOT_ARCHIVED])
def test_an_object_that_the_store_says_can_be_read_is_not_waited_for(answer: Restore) -> None:
    archive = Archive()
    archive.thawing.before = lambda *_: answer
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    assert thawed(archive, files) == Done(said="1 object can be read")


def restored_long_ago(archive: Archive, files: list[PlannedFile], *, days: int) -> None:
    """Restored copies that are there since a moment ago."""
    for file in files:
        archive.thawing.inner.restore(key=key(file.path), version_id=None, days=days, tier=Tier.STANDARD)
    archive.clock.advance(hours=5)


def test_a_restored_object_keeps_its_class_and_is_warm() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    restored_long_ago(archive, files, days=3)

    assert thawed(archive, files) == Done(said="1 object can be read")
    assert archive.thawing.asked == []


def test_a_copy_that_expires_soon_is_extended_and_relied_on_at_once() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    restored_long_ago(archive, files, days=1)
    archive.clock.advance(hours=20)

    assert thawed(archive, files) == Done(said="1 object can be read")
    assert archive.thawing.asked == [(key("data/a"), 3, Tier.STANDARD)]


def test_a_copy_that_expired_while_its_extension_was_asked_for_is_waited_for() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    restored_long_ago(archive, files, days=1)
    archive.clock.advance(hours=23)
    archive.thawing.before = lambda *_: Restore.ACCEPTED

    assert thawed(archive, files) == Wait(
        QUARTER, "waiting for 1 object to thaw (Standard, within 5 hours)", timedelta(hours=5)
    )


def expedited_has_no_capacity(_key: str, tier: Tier) -> None:
    if tier is Tier.EXPEDITED:
        raise NoCapacity("GlacierExpeditedRetrievalNotAvailable")


def test_expedited_without_capacity_falls_back_to_standard() -> None:
    archive = Archive()
    archive.thawing.before = expedited_has_no_capacity
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    outcome = thawed(archive, files, wish=Wish(tier=Tier.EXPEDITED))

    assert [tier for _, _, tier in archive.thawing.asked] == [Tier.EXPEDITED, Tier.STANDARD]
    assert isinstance(outcome, Wait)
    assert outcome.again_in == QUARTER


def after(accepted: int) -> Callable[[str, Tier], None]:
    """A store that asks for less after so many requests."""
    left = iter(range(accepted))

    def before(_key: str, _tier: Tier) -> None:
        if next(left, None) is None:
            raise Throttled("SlowDown")

    return before


def test_a_throttling_store_is_left_alone_for_seconds_and_no_object_is_forgotten() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {f"data/{n:03}": b"x" for n in range(100)}, storage_class="GLACIER")
    archive.thawing.before = after(30)

    first = thawed(archive, files, hold)
    refused = len(archive.thawing.asked) - 30
    archive.thawing.before = lambda *_: None
    archive.clock.advance(seconds=10)
    second = thawed(archive, files, hold)

    assert first == Wait(
        timedelta(seconds=10), "waiting for 100 objects to thaw (Standard, within 5 hours)", timedelta(hours=5)
    )
    assert second == Wait(QUARTER, "waiting for 100 objects to thaw (Standard, within 5 hours)", timedelta(hours=5))
    assert refused <= 8, "requests that were on their way when the first was refused"
    assert len(archive.thawing.asked) == 100 + refused
    assert set(archive.thawing.keys) == {key(f.path) for f in files}


def test_every_vanished_object_of_a_segment_is_named() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b", "data/c": b"c"}, storage_class="GLACIER")
    for path in ("data/a", "data/c"):
        del archive.buckets[COLD.id].objects[key(path)]

    told = "2 objects vanished from the source: data/a, data/c"
    assert thawed(archive, files) == Rejected(code="source_vanished", why=told, for_user=told)
    assert archive.thawing.asked == []


def test_an_object_that_only_the_first_listing_lacks_has_not_vanished() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"})
    archive.source.hidden = {key("data/a")}

    assert thawed(archive, files) == Done(said="2 objects can be read")


def test_an_object_written_since_planning_is_named_with_both_etags() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER")
    other = archive.put("data/b", b"B")

    told = f"1 object changed at the source since planning: data/b (ETag {other.etag}, planned {files[1].etag})"
    assert thawed(archive, files) == Rejected(code="source_changed", why=told, for_user=told)


def test_a_location_with_nothing_to_thaw_is_ready() -> None:
    archive = Archive()
    archive.cold = lambda location: None  # type: ignore[method-assign]

    assert thawed(archive, some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")) == Done(
        "1 object can be read"
    )


def test_a_stopping_worker_asks_for_nothing_more() -> None:
    archive = Archive()
    files = some_files(archive, {f"data/{n}": b"x" for n in range(9)}, storage_class="GLACIER")

    with pytest.raises(Interrupted):
        thawed(archive, files, Hold(stop_after=9))

    assert archive.thawing.asked == []


@pytest.mark.parametrize("name", ["data/{:04}.tif", "data/{}", "data/{:x}/file", "data/é{:04}", "data/{:04}\U0001f4be"])
def test_looking_at_a_segment_of_a_flat_folder_costs_a_page_or_two(name: str) -> None:
    archive = Archive()
    files = sorted(
        some_files(archive, {name.format(n): b"x" for n in range(3000)}), key=lambda file: file.path.encode()
    )
    segments = list(cut(files, limits=SegmentLimits(files=500)))

    outcomes = [thawed(archive, segment.files) for segment in segments]

    assert outcomes == [Done(said="500 objects can be read")] * 6
    assert archive.source.calls == {"list": 6}
    assert max(archive.source.listed) <= 501, "a listing's page has 1,000"


def test_every_accepted_request_is_noted_for_those_who_pay_for_it() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"aaa", "data/b": b"bb"}, storage_class="GLACIER")
    wish = Wish(tier=Tier.STANDARD, days=1)

    thawed(archive, files, hold, wish=wish)
    archive.clock.advance(hours=1)
    thawed(archive, files, hold, wish=wish)
    once = dict(hold.progress["restores"])
    archive.clock.advance(days=9)
    thawed(archive, files, hold, wish=wish)

    assert once == {"tier": "Standard", "days": 1, "objects": 2, "bytes": 5}
    assert hold.progress["restores"] == {"tier": "Standard", "days": 1, "objects": 4, "bytes": 10}


def test_prolonging_a_copy_that_can_be_read_is_noted_too() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"aaa"}, storage_class="GLACIER")
    wish = Wish(tier=Tier.STANDARD, days=1, margin=timedelta(days=2))
    thawed(archive, files, hold, wish=wish)
    archive.clock.advance(hours=6)

    assert thawed(archive, files, hold, wish=wish) == Done(said="1 object can be read")
    assert hold.progress["restores"] == {"tier": "Standard", "days": 1, "objects": 2, "bytes": 6, "extensions": 1}
