"""What the store says of one object keeps no other from being asked for, and names that object to people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Asked, Wish
from common.domain.segment import PlannedFile
from common.errors import (
    AccessDenied,
    BackfillError,
    NoCapacity,
    NotFound,
    NotRestorable,
    StoreUnavailable,
    Throttled,
)
from common.outcome import Done, Outcome, Rejected, Wait
from common.ports import Restore, Tier
from unit.common.runtime.archives import AZURE, BAG, COLD, START, Archive, Hold, segment_job, some_files

QUARTER = timedelta(minutes=15)
FIVE_HOURS = timedelta(hours=5)


def thawed(
    archive: Archive, files: list[PlannedFile], hold: Hold | None = None, *, wish: Wish | None = None, **facts: object
) -> Outcome:
    step = ThawSegment(stores=archive, warming=Warming(wish=wish or Wish(tier=Tier.STANDARD)))
    return step(segment_job(files, hold, **facts))


def key(path: str) -> str:
    return COLD.root(BAG) + path


def refusing(path: str, error: BackfillError) -> Callable[[str, Tier], None]:
    """A store that refuses one key."""

    def before(asked: str, _tier: Tier) -> None:
        if asked == key(path):
            raise error

    return before


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotFound("NoSuchKey"), "source_vanished", "1 object vanished from the source"),
        (AccessDenied("no"), "access_denied", "1 object cannot be restored: the store denies it to the bag warmer"),
        (NotRestorable("501"), "not_restorable", "1 object lie archived, and asking does not bring them back"),
    ],
)
def test_pitfall_14_one_bad_object_is_named_and_the_others_are_asked_for(
    error: BackfillError, code: str, said: str
) -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {f"data/{n}": b"x" for n in range(9)}, storage_class="GLACIER")
    archive.thawing.before = refusing("data/3", error)

    outcome = thawed(archive, files, hold)

    told = f"{said}: {key('data/3')}"
    assert outcome == Rejected(code=code, why=f"{told}; {error}", for_user=told)
    assert len(hold.progress["asked"]) == 8
    assert hold.progress["restores"]["objects"] == 8


def test_an_error_that_may_pass_is_raised_after_the_others_were_asked_for_and_noted() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {f"data/{n}": b"x" for n in range(9)}, storage_class="GLACIER")
    archive.thawing.before = refusing("data/3", StoreUnavailable("reset"))

    with pytest.raises(StoreUnavailable):
        thawed(archive, files, hold)
    archive.thawing.before = lambda *_: None
    again = thawed(archive, files, hold)

    assert again == Wait(QUARTER, "waiting for 9 objects to thaw (Standard, within 5 hours)", FIVE_HOURS)
    assert [archive.thawing.keys.count(key(f"data/{n}")) for n in range(9)] == [1, 1, 1, 2, 1, 1, 1, 1, 1]


def test_an_azure_blob_in_the_archive_tier_is_said_to_be_not_restorable() -> None:
    archive = Archive()
    archive.cold = lambda location: None  # type: ignore[method-assign]
    files = some_files(archive, {"data/a": b"a"}, storage_class="Archive")

    outcome = thawed(archive, files)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_restorable"


def test_pitfall_01_objects_that_are_restored_already_need_no_event() -> None:
    archive = Archive()
    archive.thawing.before = lambda *_: Restore.ALREADY_RESTORED
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    assert thawed(archive, files) == Done(said="1 object can be read")


def test_pitfall_02_a_segment_of_one_object_completes() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    thawed(archive, files, hold)
    archive.clock.advance(hours=5)

    assert thawed(archive, files, hold) == Done(said="1 object can be read")


def test_pitfall_12_a_restore_of_somebody_else_is_waited_for_and_made_faster_when_asked() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    archive.thawing.inner.restore(key=key("data/a"), version_id=None, days=3, tier=Tier.BULK)

    thawed(archive, files, hold, wish=Wish(tier=Tier.BULK))
    asked_as_bulk = list(archive.thawing.asked)
    outcome = thawed(archive, files, hold, options={"tier": "Expedited"})
    thawed(archive, files, hold, options={"tier": "Expedited"})

    assert asked_as_bulk == []
    assert archive.thawing.asked == [(key("data/a"), 3, Tier.EXPEDITED)]
    assert outcome == Wait(QUARTER, "waiting for 1 object to thaw (Expedited, within minutes)", timedelta(minutes=5))


def test_an_answer_that_it_is_in_progress_is_progress_and_costs_nothing() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    archive.thawing.before = lambda *_: Restore.IN_PROGRESS

    outcome = thawed(archive, files, hold, wish=Wish(tier=Tier.BULK, days=2))

    assert isinstance(outcome, Wait)
    assert hold.progress == {
        "asked": {key("data/a"): Asked(START, Tier.BULK, 2).noted()},
        "cold": {"restoring": {"GLACIER": [1, 1]}},
    }


def test_a_running_restore_is_made_faster_once_with_its_own_days_and_never_slower() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    for tier in ("Bulk", "Standard", "Standard", "Bulk"):
        thawed(archive, files, hold, options={"tier": tier, "restoredDays": 7})
    thawed(archive, files, hold, options={"tier": "Standard", "restoredDays": 2})
    archive.clock.advance(hours=5)

    assert archive.thawing.asked == [(key("data/a"), 7, Tier.BULK), (key("data/a"), 7, Tier.STANDARD)]
    assert thawed(archive, files, hold) == Done(said="1 object can be read")


def test_what_an_earlier_release_noted_is_understood() -> None:
    archive, hold = Archive(), Hold(progress={"asked": {key("data/a"): START.isoformat()}})
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    thawed(archive, files, hold)

    assert archive.thawing.asked == []


def test_a_class_of_a_location_may_have_a_tier_of_its_own() -> None:
    archive = Archive()
    files = [
        *some_files(archive, {"data/deep": b"d"}, storage_class="DEEP_ARCHIVE"),
        *some_files(archive, {"data/flexible": b"f"}, storage_class="GLACIER"),
    ]
    own = Wish(tiers={"GLACIER": Tier.EXPEDITED})
    step = ThawSegment(stores=archive, warming=Warming(wishes={COLD.id: own}))

    outcome = step(segment_job(files))

    assert sorted(tier for _, _, tier in archive.thawing.asked) == [Tier.BULK, Tier.EXPEDITED]
    assert outcome == Wait(
        QUARTER, "waiting for 2 objects to thaw (Bulk and Expedited, within 48 hours)", timedelta(hours=48)
    )


def expedited_has_no_capacity(_key: str, tier: Tier) -> None:
    if tier is Tier.EXPEDITED:
        raise NoCapacity


@pytest.mark.parametrize("instead", [Tier.STANDARD, Tier.BULK])
def test_what_is_asked_for_without_capacity_is_the_location_s_policy_and_in_the_history(instead: Tier) -> None:
    archive, hold = Archive(), Hold()
    archive.thawing.before = expedited_has_no_capacity
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER")
    wish = Wish(tier=Tier.EXPEDITED, without_capacity=instead)

    outcome = thawed(archive, files, hold, wish=wish)
    thawed(archive, files, hold, wish=wish)

    assert isinstance(outcome, Wait)
    assert outcome.told == (f"Expedited has no capacity at the moment: asked for {instead} instead",)
    assert [tier for _, _, tier in archive.thawing.asked].count(instead) == 2
    assert len(archive.thawing.asked) == 4, "the second look asks for nothing"


def test_a_policy_may_be_to_wait_for_capacity() -> None:
    archive, hold = Archive(), Hold()
    archive.thawing.before = expedited_has_no_capacity
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    wish = Wish(tier=Tier.EXPEDITED, without_capacity=None)

    thawed(archive, files, hold, wish=wish)
    archive.thawing.before = lambda *_: None
    thawed(archive, files, hold, wish=wish)

    assert [tier for _, _, tier in archive.thawing.asked] == [Tier.EXPEDITED] * 2


def storm(refused: int) -> Callable[[str, Tier], None]:
    left = iter(range(refused))

    def before(_key: str, _tier: Tier) -> None:
        if next(left, None) is not None:
            raise Throttled("SlowDown")

    return before


def test_pitfall_13_a_storm_of_slow_down_loses_no_object() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {f"data/{n:03}": b"x" for n in range(60)}, storage_class="GLACIER")
    archive.thawing.before = storm(25)
    rounds = 0

    while not isinstance(outcome := thawed(archive, files, hold), Wait) or outcome.again_in < QUARTER:
        rounds += 1
    archive.clock.advance(hours=5)

    assert 1 <= rounds <= 25
    assert thawed(archive, files, hold) == Done(said="60 objects can be read")
    assert hold.progress["restores"]["objects"] == 60


def test_what_lies_at_the_destination_in_full_length_is_not_thawed_again() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"aa", "data/b": b"bb", "data/c": b"cc"}, storage_class="GLACIER")
    archive.put("data/a", b"aa", at=AZURE)
    archive.put("data/b", b"short"[:1], at=AZURE)

    outcome = thawed(archive, files)

    assert archive.thawing.keys == [key("data/b"), key("data/c")]
    assert outcome == Wait(QUARTER, "waiting for 2 objects to thaw (Standard, within 5 hours)", FIVE_HOURS)


def test_pitfall_17_a_segment_that_lies_at_the_destination_is_ready_without_a_request() -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": b"aa", "data/b": b"bb"}, storage_class="DEEP_ARCHIVE")
    for path, data in (("data/a", b"aa"), ("data/b", b"bb")):
        archive.put(path, data, at=AZURE)

    assert thawed(archive, files) == Done(said="0 objects can be read, 2 more lie at the destination")
    assert archive.thawing.asked == []


def test_without_the_right_to_list_the_destination_everything_frozen_is_thawed() -> None:
    def before(operation: str, _key: str) -> None:
        raise AccessDenied(operation)

    archive = Archive()
    archive.destination.before = before
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    assert isinstance(thawed(archive, files), Wait)
    assert archive.thawing.keys == [key("data/a")]


def test_warm_objects_cost_no_look_at_the_destination() -> None:
    archive = Archive()

    thawed(archive, some_files(archive, {"data/a": b"a"}))

    assert archive.destination.calls == {}
