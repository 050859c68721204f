"""Archived objects in memory thaw by an injected clock, with S3's answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.adapters.objects.memory import MemoryBucket, MemoryColdStore, MemoryStore
from common.adapters.objects.s3.info import parse_restore
from common.errors import NotRestored, RefusedByStore
from common.ports import ObjectInfo, Restore, RestoreStatus, Tier

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Cold:
    """A bucket with one archived object, and its clock."""

    def __init__(self, **facts: str) -> None:
        self.now = NOON
        bucket = MemoryBucket(clock=lambda: self.now)
        bucket.put(ObjectInfo(key="k", size=0, etag="", **facts), b"frozen")
        self.store, self.archive = MemoryStore(bucket=bucket), MemoryColdStore(bucket=bucket)

    def restore(self, days: int | None = 2, tier: Tier = Tier.STANDARD) -> Restore:
        return self.archive.restore(key="k", version_id=None, days=days, tier=tier)

    def readable(self) -> bool:
        try:
            with self.store.read(key="k") as body:
                return b"".join(map(bytes, body)) == b"frozen"
        except NotRestored:
            return False


def test_a_glacier_object_thaws_and_freezes_again() -> None:
    cold = Cold(storage_class="GLACIER")

    seen = [cold.readable(), cold.restore(), cold.restore(), cold.readable()]
    cold.now += timedelta(hours=5)
    seen += [cold.readable(), cold.restore(days=1)]
    restored = cold.store.head(key="k").restore
    cold.now += timedelta(days=1)
    seen += [cold.readable(), cold.restore()]

    accepted = Restore.ACCEPTED
    assert seen == [False, accepted, Restore.IN_PROGRESS, False, True, Restore.ALREADY_RESTORED, False, accepted]
    assert restored == RestoreStatus(ongoing=False, expires_at=NOON + timedelta(hours=5, days=1))


def test_a_restore_that_runs_is_made_faster_and_never_slower() -> None:
    cold = Cold(storage_class="GLACIER")

    answers = [cold.restore(tier=tier) for tier in (Tier.BULK, Tier.STANDARD, Tier.STANDARD, Tier.BULK)]
    cold.now += timedelta(hours=5)

    assert answers == [Restore.ACCEPTED, Restore.ACCEPTED, Restore.IN_PROGRESS, Restore.IN_PROGRESS]
    assert cold.readable()


def test_intelligent_tiering_moves_the_object_for_good() -> None:
    cold = Cold(storage_class="INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS")

    first = cold.restore(days=None, tier=Tier.BULK)
    cold.now += timedelta(days=400)

    assert (first, cold.readable(), cold.restore(days=None)) == (Restore.ACCEPTED, True, Restore.NOT_ARCHIVED)


@pytest.mark.parametrize(
    ("facts", "days", "tier"),
    [
        ({"storage_class": "GLACIER"}, None, Tier.BULK),
        ({"storage_class": "DEEP_ARCHIVE"}, 1, Tier.EXPEDITED),
        ({"storage_class": "INTELLIGENT_TIERING", "archive_status": "ARCHIVE_ACCESS"}, 1, Tier.BULK),
    ],
)
def test_a_restore_that_s3_would_refuse_is_refused(facts: dict[str, str], days: int | None, tier: Tier) -> None:
    with pytest.raises(RefusedByStore):
        Cold(**facts).restore(days=days, tier=tier)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ('ongoing-request="true"', RestoreStatus(ongoing=True)),
        (
            'expiry-date="Fri, 21 Dec 2012 00:00:00 GMT",  Ongoing-Request = "FALSE"',
            RestoreStatus(ongoing=False, expires_at=datetime(2012, 12, 21, tzinfo=UTC)),
        ),
        ('ongoing-request="false"', RestoreStatus(ongoing=False)),
    ],
)
def test_the_restore_header_is_read_in_any_order(header: str | None, expected: RestoreStatus | None) -> None:
    assert parse_restore(header) == expected


@pytest.mark.parametrize("header", ["", "soon", 'ongoing-request="false", expiry-date="tomorrow"'])
def test_a_restore_header_that_says_nothing_is_an_error(header: str) -> None:
    with pytest.raises(RefusedByStore):
        parse_restore(header)
