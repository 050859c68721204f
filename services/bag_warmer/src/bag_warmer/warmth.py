"""How warm an object is, and what to ask of the store: pure rules, table-tested.

The facts are the provider's: which classes are archived, what a restore needs, what the headers mean
(docs/reference/cold-storage.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from common.ports import ObjectInfo, Tier

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Classes whose objects must be restored before they can be read; the copy expires. GLACIER_IR is not one."""

_DEEP = frozenset({"DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS"})

INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
"""Objects of this class may lie in an archive tier, which only a HEAD request tells."""


class Warmth(StrEnum):
    """Whether an object can be read now."""

    WARM = "warm"
    LUKEWARM = "lukewarm"
    """Readable, but the restored copy expires before the work would surely be done."""
    COLD = "cold"
    WARMING = "warming"
    """A restore is on its way."""


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


def _tiered(info: ObjectInfo) -> Warmth:
    """Warm where no archive tier is named, or where a restore has ended: the object has been moved by then."""
    if not info.archive_status:
        return Warmth.WARM
    if info.restore is None:
        return Warmth.COLD
    return Warmth.WARMING if info.restore.ongoing else Warmth.WARM


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
