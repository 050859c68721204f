"""How fast archived objects come back: the provider's table (docs/reference/cold-storage.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from common.ports import Tier

DEEP = frozenset({"DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS"})
"""Classes and archive tiers that take longest, and that Expedited is not offered for."""
FROZEN = DEEP | {"GLACIER", "ARCHIVE_ACCESS"}
"""Classes and archive tiers whose objects cannot be read before they were restored."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the soonest that a restore may end to the latest that the provider typically needs."""

    soonest: timedelta
    latest: timedelta


def span(storage_class: str | None, tier: Tier) -> Span:
    """How long a restore takes. Of the deep classes the provider tells the latest only: half of it is the soonest."""
    if storage_class in DEEP:
        latest = timedelta(hours=48 if tier is Tier.BULK else 12)
        return Span(latest / 2, latest)
    if tier is Tier.EXPEDITED:
        return Span(timedelta(minutes=1), timedelta(minutes=5))
    return Span(*map(_hours, (3, 5) if tier is Tier.STANDARD else (5, 12)))


def allowed(storage_class: str | None, tier: Tier) -> Tier:
    """The tier that is asked for where `tier` is wished: Standard where Expedited is not offered."""
    return Tier.STANDARD if storage_class in DEEP and tier is Tier.EXPEDITED else tier


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)
