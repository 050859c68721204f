"""The rules of archived objects: what RestoreObject answers, when a copy can be read, when it goes away.

Pure: an `Archive` is a value, time is an argument. Rules and durations are those of the S3 API reference and user
guide ("Restoring an archived object", "Archive retrieval options"); durations are the longest S3 gives as typical.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Shelf(StrEnum):
    """Where an object lies that cannot be read: a storage class, or Intelligent-Tiering's archive tier."""

    GLACIER = "GLACIER"
    DEEP_ARCHIVE = "DEEP_ARCHIVE"
    ARCHIVE_ACCESS = "ARCHIVE_ACCESS"
    DEEP_ARCHIVE_ACCESS = "DEEP_ARCHIVE_ACCESS"

    @property
    def tiering(self) -> bool:
        """Whether restoring moves the object out for good, instead of making a copy for some days."""
        return self in (Shelf.ARCHIVE_ACCESS, Shelf.DEEP_ARCHIVE_ACCESS)

    @property
    def deep(self) -> bool:
        return self in (Shelf.DEEP_ARCHIVE, Shelf.DEEP_ARCHIVE_ACCESS)


class Tier(StrEnum):
    """How fast a restore is, fastest first."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"
    BULK = "Bulk"


class Happening(StrEnum):
    """What S3 tells about a restore, by its event name."""

    INITIATED = "s3:ObjectRestore:Post"
    COMPLETED = "s3:ObjectRestore:Completed"
    EXPIRED = "s3:ObjectRestore:Delete"


class Refusal(StrEnum):
    """Error codes of RestoreObject."""

    NOT_ARCHIVED = "InvalidObjectState"
    IN_PROGRESS = "RestoreAlreadyInProgress"
    INVALID = "InvalidArgument"
    NO_CAPACITY = "GlacierExpeditedRetrievalNotAvailable"


SECONDS = {
    (False, Tier.EXPEDITED): 5 * 60,
    (False, Tier.STANDARD): 5 * 3600,
    (False, Tier.BULK): 12 * 3600,
    (True, Tier.STANDARD): 12 * 3600,
    (True, Tier.BULK): 48 * 3600,
}
"""How long a restore takes, by whether the shelf is a deep one, and tier. What is not here is not offered."""

_SPEED = list(Tier)


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore that was accepted."""

    tier: Tier
    days: int | None
    """None for Intelligent-Tiering."""
    requested_at: datetime
    completes_at: datetime
    completed: bool = False
    expires_at: datetime | None = None
    """When the copy goes away; None until completed."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archived object's state. No archive at all: the object can be read."""

    shelf: Shelf
    restore: Restore | None = None

    @property
    def readable(self) -> bool:
        return self.restore is not None and self.restore.completed

    @property
    def ongoing(self) -> bool:
        return self.restore is not None and not self.restore.completed

    @property
    def next_change(self) -> datetime | None:
        """When time will change it."""
        if self.restore is None:
            return None
        return self.restore.expires_at if self.restore.completed else self.restore.completes_at


@dataclass(frozen=True, slots=True)
class Change:
    """What time made of an archive."""

    what: Happening
    archive: Archive | None
    """The archive afterwards."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What RestoreObject answers, and the archive afterwards (unchanged where refused)."""

    status: int
    archive: Archive | None
    refusal: Refusal | None = None
    message: str = ""
    happened: tuple[Happening, ...] = ()


def next_due(archive: Archive | None, *, now: datetime) -> Change | None:
    """The first change that is due at `now` and was not made yet. Make it and ask again, until None: settled."""
    if archive is None or archive.restore is None:
        return None
    restore = archive.restore
    if not restore.completed:
        return _completed(archive, restore) if now >= restore.completes_at else None
    if restore.expires_at is not None and now >= restore.expires_at:
        return Change(Happening.EXPIRED, Archive(archive.shelf))
    return None


def _completed(archive: Archive, restore: Restore) -> Change:
    if archive.shelf.tiering:
        return Change(Happening.COMPLETED, None)
    expires_at = _midnight_after(restore.completes_at + timedelta(days=restore.days or 1))
    done = replace(restore, completed=True, expires_at=expires_at)
    return Change(Happening.COMPLETED, replace(archive, restore=done))


def requested(
    archive: Archive | None, *, tier: Tier, days: int | None, now: datetime, expedited_capacity: bool = True
) -> Answer:
    """Answer a RestoreObject request for an archive that has nothing due at `now`."""
    if archive is None:
        return _refuse(
            archive, 403, Refusal.NOT_ARCHIVED, "Restore is not allowed for the object's current storage class"
        )
    if fault := _fault(archive.shelf, tier=tier, days=days):
        return _refuse(archive, 400, Refusal.INVALID, fault)
    if tier is Tier.EXPEDITED and not expedited_capacity:
        why = "Glacier expedited retrievals are currently not available, please try again later"
        return _refuse(archive, 503, Refusal.NO_CAPACITY, why)
    if archive.restore is None:
        return Answer(
            202, Archive(archive.shelf, _begun(archive.shelf, tier, days, now)), happened=(Happening.INITIATED,)
        )
    if archive.restore.completed:
        return Answer(200, replace(archive, restore=_prolonged(archive.restore, days, now)))
    return _while_running(archive, archive.restore, tier, days, now)


def _fault(shelf: Shelf, *, tier: Tier, days: int | None) -> str | None:
    if shelf.tiering and days is not None:
        return "Invalid argument for the object's storage class. Do not specify Days for Intelligent-Tiering"
    if not shelf.tiering and (days is None or days < 1):
        return f"Days must be given, 1 or more, for storage class {shelf}"
    if (shelf.deep, tier) not in SECONDS:
        return f"Retrieval option {tier} is not supported by this storage class"
    return None


def _while_running(archive: Archive, running: Restore, tier: Tier, days: int | None, now: datetime) -> Answer:
    faster = _SPEED.index(tier) < _SPEED.index(running.tier)
    if not faster or days != running.days:
        return _refuse(archive, 409, Refusal.IN_PROGRESS, "Object restore is already in progress")
    begun = _begun(archive.shelf, tier, days, now)
    sooner = replace(begun, completes_at=min(begun.completes_at, running.completes_at))
    return Answer(202, replace(archive, restore=sooner))


def _begun(shelf: Shelf, tier: Tier, days: int | None, now: datetime) -> Restore:
    return Restore(tier, days, now, now + timedelta(seconds=SECONDS[(shelf.deep, tier)]))


def _prolonged(done: Restore, days: int | None, now: datetime) -> Restore:
    """Days count anew, from now."""
    return replace(done, days=days, expires_at=_midnight_after(now + timedelta(days=days or 1)))


def _midnight_after(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def _refuse(archive: Archive | None, status: int, refusal: Refusal, message: str) -> Answer:
    return Answer(status, archive, refusal, message)
