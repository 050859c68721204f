"""Restoring archived objects in memory, with S3's answers and the slowest durations S3 names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.adapters.objects.memory.bucket import MemoryBucket, Thaw, Version
from common.errors import RefusedByStore
from common.ports import ObjectInfo, Restore, Tier

DURATIONS: dict[tuple[bool, Tier], timedelta] = {
    (False, Tier.EXPEDITED): timedelta(minutes=5),
    (False, Tier.STANDARD): timedelta(hours=5),
    (False, Tier.BULK): timedelta(hours=12),
    (True, Tier.STANDARD): timedelta(hours=12),
    (True, Tier.BULK): timedelta(hours=48),
}
"""(deep archive?, tier) → how long it takes. Deep archives have no Expedited."""


@dataclass(frozen=True, slots=True)
class MemoryColdStore:
    """ColdStore over a MemoryBucket."""

    bucket: MemoryBucket

    def now(self) -> datetime:
        return self.bucket.clock()

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        with self.bucket.lock:
            version = self.bucket.find(key, version_id)
            info = self.bucket.described(version)
            if info.archive_status is None and info.storage_class not in ("GLACIER", "DEEP_ARCHIVE"):
                return Restore.NOT_ARCHIVED
            duration = _duration(info, days, tier)
            now = self.bucket.clock()
            if info.restore is not None and info.restore.ongoing:
                return _sooner(version, now + duration)
            if info.restore is not None and version.thaw is not None:
                version.thaw.expires_at = now + timedelta(days=days or 0)
                return Restore.ALREADY_RESTORED
            done_at = now + duration
            version.thaw = Thaw(done_at, None if days is None else done_at + timedelta(days=days))
            return Restore.ACCEPTED


def _sooner(version: Version, done_at: datetime) -> Restore:
    """A restore that runs can be made faster, not slower."""
    running = version.thaw
    if running is None or done_at >= running.done_at:
        return Restore.IN_PROGRESS
    lasts = None if running.expires_at is None else running.expires_at - running.done_at
    version.thaw = Thaw(done_at, None if lasts is None else done_at + lasts)
    return Restore.ACCEPTED


def _duration(info: ObjectInfo, days: int | None, tier: Tier) -> timedelta:
    if (days is None) != (info.archive_status is not None):
        raise RefusedByStore(f"{info.key}: days is for GLACIER and DEEP_ARCHIVE only, was {days}")
    deep = "DEEP_ARCHIVE" in (info.storage_class or "", (info.archive_status or "").removesuffix("_ACCESS"))
    if (deep, tier) not in DURATIONS:
        raise RefusedByStore(f"{info.key}: a deep archive has no {tier} tier")
    return DURATIONS[deep, tier]
