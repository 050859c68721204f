"""The rules of archived objects, row by row (S3 API reference and user guide)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_stack.cold_s3.archive import (
    Answer,
    Archive,
    Change,
    Happening,
    Refusal,
    Restore,
    Shelf,
    Tier,
    next_due,
    requested,
)

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
EXPEDITED, STANDARD, BULK = Tier.EXPEDITED, Tier.STANDARD, Tier.BULK


def days_for(shelf: Shelf) -> int | None:
    return None if shelf.tiering else 7


def thawing(shelf: Shelf = Shelf.GLACIER, tier: Tier = STANDARD, *, hours: float = 5) -> Archive:
    return Archive(shelf, Restore(tier, days_for(shelf), NOW, NOW + timedelta(hours=hours)))


def thawed(shelf: Shelf = Shelf.GLACIER) -> Archive:
    restore = Restore(STANDARD, 7, NOW - timedelta(hours=9), NOW - timedelta(hours=4), True, NOW + timedelta(days=1))
    return Archive(shelf, restore)


@pytest.mark.parametrize(
    ("shelf", "tier", "hours"),
    [
        (Shelf.GLACIER, EXPEDITED, 5 / 60),
        (Shelf.GLACIER, STANDARD, 5),
        (Shelf.GLACIER, BULK, 12),
        (Shelf.DEEP_ARCHIVE, STANDARD, 12),
        (Shelf.DEEP_ARCHIVE, BULK, 48),
        (Shelf.ARCHIVE_ACCESS, EXPEDITED, 5 / 60),
        (Shelf.ARCHIVE_ACCESS, STANDARD, 5),
        (Shelf.ARCHIVE_ACCESS, BULK, 12),
        (Shelf.DEEP_ARCHIVE_ACCESS, STANDARD, 12),
        (Shelf.DEEP_ARCHIVE_ACCESS, BULK, 48),
    ],
)
def test_the_first_request_is_accepted_and_takes_as_long_as_its_tier(shelf: Shelf, tier: Tier, hours: float) -> None:
    answer = requested(Archive(shelf), tier=tier, days=days_for(shelf), now=NOW)
    assert answer == Answer(202, thawing(shelf, tier, hours=hours), happened=(Happening.INITIATED,))


@pytest.mark.parametrize(
    ("shelf", "tier", "days"),
    [
        (Shelf.GLACIER, STANDARD, None),
        (Shelf.GLACIER, STANDARD, 0),
        (Shelf.DEEP_ARCHIVE, BULK, None),
        (Shelf.DEEP_ARCHIVE, EXPEDITED, 7),
        (Shelf.ARCHIVE_ACCESS, STANDARD, 7),
        (Shelf.DEEP_ARCHIVE_ACCESS, STANDARD, 7),
        (Shelf.DEEP_ARCHIVE_ACCESS, EXPEDITED, None),
    ],
)
def test_days_and_tiers_that_the_shelf_does_not_take_are_invalid(shelf: Shelf, tier: Tier, days: int | None) -> None:
    answer = requested(Archive(shelf), tier=tier, days=days, now=NOW)
    assert (answer.status, answer.refusal, answer.archive) == (400, Refusal.INVALID, Archive(shelf))


def test_an_object_that_is_not_archived_cannot_be_restored() -> None:
    answer = requested(None, tier=STANDARD, days=7, now=NOW)
    assert (answer.status, answer.refusal, answer.archive) == (403, Refusal.NOT_ARCHIVED, None)


@pytest.mark.parametrize(
    ("running", "asked"), [(STANDARD, STANDARD), (STANDARD, BULK), (EXPEDITED, EXPEDITED), (BULK, BULK)]
)
def test_the_same_or_a_slower_tier_is_refused_while_a_restore_runs(running: Tier, asked: Tier) -> None:
    answer = requested(thawing(tier=running), tier=asked, days=7, now=NOW)
    assert (answer.status, answer.refusal, answer.archive) == (409, Refusal.IN_PROGRESS, thawing(tier=running))


def test_other_days_are_refused_while_a_restore_runs_even_with_a_faster_tier() -> None:
    answer = requested(thawing(tier=BULK), tier=STANDARD, days=8, now=NOW)
    assert (answer.status, answer.refusal) == (409, Refusal.IN_PROGRESS)


def test_a_faster_tier_upgrades_a_running_restore_and_tells_nobody() -> None:
    answer = requested(thawing(tier=BULK, hours=12), tier=STANDARD, days=7, now=NOW)
    assert answer == Answer(202, thawing(tier=STANDARD, hours=5))


def test_an_upgrade_never_makes_a_restore_later() -> None:
    answer = requested(thawing(tier=BULK, hours=1), tier=STANDARD, days=7, now=NOW)
    assert answer == Answer(202, thawing(tier=STANDARD, hours=1))


def test_asking_again_for_a_readable_copy_counts_its_days_anew_from_now() -> None:
    answer = requested(thawed(), tier=BULK, days=3, now=NOW)
    assert answer.status == 200
    assert answer.happened == ()
    assert answer.archive is not None
    assert answer.archive.restore is not None
    assert answer.archive.restore.expires_at == datetime(2026, 3, 14, tzinfo=UTC)


def test_expedited_is_unavailable_without_capacity_and_nothing_changes() -> None:
    answer = requested(Archive(Shelf.GLACIER), tier=EXPEDITED, days=7, now=NOW, expedited_capacity=False)
    assert (answer.status, answer.refusal, answer.archive) == (503, Refusal.NO_CAPACITY, Archive(Shelf.GLACIER))


def test_standard_needs_no_expedited_capacity() -> None:
    assert requested(Archive(Shelf.GLACIER), tier=STANDARD, days=7, now=NOW, expedited_capacity=False).status == 202


@pytest.mark.parametrize("archive", [None, Archive(Shelf.GLACIER), thawing(hours=0.001), thawed()])
def test_nothing_happens_before_it_is_due(archive: Archive | None) -> None:
    assert next_due(archive, now=NOW) is None


def test_a_restore_completes_when_due_and_its_copy_lives_until_the_midnight_after_its_days() -> None:
    archive = thawing(hours=5)
    assert archive.restore is not None
    done = Restore(STANDARD, 7, NOW, NOW + timedelta(hours=5), True, datetime(2026, 3, 18, tzinfo=UTC))
    assert next_due(archive, now=NOW + timedelta(hours=5)) == Change(Happening.COMPLETED, Archive(Shelf.GLACIER, done))


def test_a_copy_whose_days_end_at_midnight_is_not_given_another_day() -> None:
    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    change = next_due(Archive(Shelf.GLACIER, Restore(STANDARD, 1, NOW, midnight)), now=midnight)
    assert change is not None
    assert change.archive is not None
    assert change.archive.next_change == datetime(2026, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("shelf", [Shelf.ARCHIVE_ACCESS, Shelf.DEEP_ARCHIVE_ACCESS])
def test_a_restored_tiering_object_leaves_the_archive_for_good(shelf: Shelf) -> None:
    assert next_due(thawing(shelf, hours=0), now=NOW) == Change(Happening.COMPLETED, None)


def test_a_copy_expires_into_the_archive_it_came_from() -> None:
    change = next_due(thawed(), now=NOW + timedelta(days=1))
    assert change == Change(Happening.EXPIRED, Archive(Shelf.GLACIER))


@pytest.mark.parametrize(
    ("archive", "readable"), [(Archive(Shelf.GLACIER), False), (thawing(), False), (thawed(), True)]
)
def test_only_a_completed_copy_can_be_read(archive: Archive, readable: bool) -> None:
    assert archive.readable is readable
