"""How objects shall be brought back, and what was asked for each so far: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from common.ports import ObjectInfo, Tier


@dataclass(frozen=True, slots=True)
class Wish:
    """How the objects shall be brought back."""

    tier: Tier = Tier.BULK
    days: int = 3
    """How long the readable copies shall last, 1 and up."""
    margin: timedelta = timedelta(hours=12)
    """A copy that expires sooner is extended before it is relied on."""
    status_lag: timedelta = timedelta(minutes=15)
    """For so long after an accepted request a store may still say nothing of it: the object counts as warming."""
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    """Other tiers than `tier`, by storage class."""
    without_capacity: Tier | None = Tier.STANDARD
    """What is asked for where Expedited has no capacity; None: Expedited again at the next look."""

    def tier_of(self, info: ObjectInfo) -> Tier:
        return self.tiers.get(info.storage_class or "", self.tier)


@dataclass(frozen=True, slots=True)
class Asked:
    """The last request for an object."""

    at: datetime
    """By the store's clock."""
    tier: Tier | None = None
    """The tier that was asked for, also where the store had no capacity for it; None: not known any more."""
    days: int | None = None

    @classmethod
    def read(cls, noted: Any) -> Asked:
        """From JSON; earlier releases noted the time alone."""
        if isinstance(noted, str):
            return cls(datetime.fromisoformat(noted))
        at, tier, days = noted
        return cls(datetime.fromisoformat(at), tier and Tier(tier), days)

    def noted(self) -> list[Any]:
        """As JSON."""
        return [self.at.isoformat(), self.tier and self.tier.value, self.days]

    def slower_than(self, tier: Tier) -> bool:
        return self.tier is not None and tier.faster_than(self.tier)
