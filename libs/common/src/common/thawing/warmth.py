"""How warm an object is, and what to ask of the store: pure rules, table-tested.

The facts are the provider's: which classes are archived, what a restore needs, what the headers mean
(docs/reference/cold-storage.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from common.errors import AccessDenied, NoCapacity, NotFound, NotRestorable, Throttled
from common.ports import ObjectInfo, Restore, Tier

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Classes whose objects must be restored before they can be read; the copy expires. GLACIER_IR is not one."""

_DEEP = frozenset({"DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS"})

INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
"""Objects of this class may lie in an archive tier, which only a HEAD request tells."""


_OFFLINE = "Archive"
"""Azure's tier whose blobs are brought back by copying them or setting their tier, never by a restore request."""


class Warmth(StrEnum):
    """Whether an object can be read now, and why not."""

    WARM = "warm"
    LUKEWARM = "lukewarm"
    """Readable, but the restored copy expires before the work would surely be done."""
    COLD = "cold"
    WARMING = "warming"
    """A restore is on its way."""
    NOT_RESTORABLE = "not restorable"
    """Archived, and asking does not bring it back."""
    VANISHED = "vanished"
    ACCESS_DENIED = "access denied"
    ERROR = "error"
    """The store said something else. Nothing follows from it for other objects."""

    @property
    def hopeless(self) -> bool:
        """Whether waiting or asking again changes nothing."""
        return self in (Warmth.NOT_RESTORABLE, Warmth.VANISHED, Warmth.ACCESS_DENIED)


@dataclass(frozen=True, slots=True)
class Request:
    """What to send to bring one object back."""

    tier: Tier
    days: int | None
    """None exactly where restoring moves the object for good: there the store refuses days."""


def warmth(info: ObjectInfo, *, now: datetime, margin: timedelta) -> Warmth:
    """Classify an object by what the store says about it.

    `now` is the store's clock. A restored copy that expires within `margin` is lukewarm. The storage class alone
    decides nothing: a restored object keeps its class.
    """
    if info.storage_class == INTELLIGENT_TIERING:
        return _tiered(info)
    if info.storage_class == _OFFLINE:
        return unasked(info)
    if info.storage_class not in _ARCHIVED:
        return Warmth.WARM
    if info.restore is None:
        return Warmth.COLD
    if info.restore.ongoing:
        return Warmth.WARMING
    expires = info.restore.expires_at
    if expires is None or expires <= now:
        return Warmth.COLD
    return Warmth.LUKEWARM if expires - now < margin else Warmth.WARM


def readable_as_listed(storage_class: str | None) -> bool:
    """Whether the class that a list gives says that the object can be read. False where it leaves that open."""
    return storage_class not in _ARCHIVED and storage_class not in (INTELLIGENT_TIERING, _OFFLINE)


def unasked(info: ObjectInfo) -> Warmth:
    """The same for a store that takes no restore requests: only Azure's archive tier cannot be read there."""
    if info.storage_class != _OFFLINE:
        return Warmth.WARM
    return Warmth.WARMING if info.restore and info.restore.ongoing else Warmth.NOT_RESTORABLE


def _tiered(info: ObjectInfo) -> Warmth:
    """Warm where no archive tier is named, or where a restore has ended: the object has been moved by then."""
    if not info.archive_status:
        return Warmth.WARM
    if info.restore is None:
        return Warmth.COLD
    return Warmth.WARMING if info.restore.ongoing else Warmth.WARM


def answered(answer: Restore | Exception) -> Warmth:
    """What a store's answer to a look or to a restore request says about the object."""
    match answer:
        case Restore.ACCEPTED | Restore.IN_PROGRESS:
            return Warmth.WARMING
        case Restore.ALREADY_RESTORED | Restore.NOT_ARCHIVED:
            return Warmth.WARM
        case Throttled() | NoCapacity():
            return Warmth.COLD
        case NotFound():
            return Warmth.VANISHED
        case AccessDenied():
            return Warmth.ACCESS_DENIED
        case NotRestorable():
            return Warmth.NOT_RESTORABLE
        case _:
            return Warmth.ERROR


def request_for(info: ObjectInfo, *, tier: Tier, days: int) -> Request:
    """The restore request that the object's class allows, nearest to what is wished.

    Expedited is not offered for the deep classes: Standard is asked for instead. Intelligent-Tiering takes no days.
    """
    deep = info.storage_class in _DEEP or info.archive_status in _DEEP
    allowed = Tier.STANDARD if deep and tier is Tier.EXPEDITED else tier
    return Request(allowed, None if info.storage_class == INTELLIGENT_TIERING else max(1, days))


def longest(storage_class: str | None, tier: Tier) -> timedelta:
    """How long the provider says a restore takes at most."""
    deep = storage_class in _DEEP
    hours = {
        Tier.EXPEDITED: 12.0 if deep else 5 / 60,
        Tier.STANDARD: 12.0 if deep else 5.0,
        Tier.BULK: 48.0 if deep else 12.0,
    }
    return timedelta(hours=hours[tier])


def class_of(info: ObjectInfo) -> str:
    """The storage class, or the archive tier where there is one: what prices and times go by."""
    return info.archive_status or info.storage_class or ""
