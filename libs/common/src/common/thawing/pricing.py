"""What this deployment knows about money: prices, regions and budgets of its locations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from common.domain.location import Location, LocationId, Provider
from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.costs import Amount
from common.thawing.estimates import Estimate, estimate, money, tier_document, tiers_together
from common.thawing.prices import PriceBook

NO_PRICES = "No prices are known to this deployment, and none are guessed."
NO_CLASSES = (
    "This service may not look into the source. Set archive_class for the location, or read the storage classes there."
)
BY_LOCATION = "As the location's archive_class says; no object was looked at."


@dataclass(frozen=True, slots=True)
class Pricing:
    """The price book, and what it takes to use it. Without a book nothing is estimated."""

    book: PriceBook | None = None
    regions: Mapping[LocationId, str | None] = field(default_factory=dict)
    budgets: Mapping[LocationId, Budget] = field(default_factory=dict)
    archived: Mapping[LocationId, str] = field(default_factory=dict)
    """Storage classes of locations whose bags are archived, as the locations file says."""
    tier: Tier = Tier.BULK
    days: int = 3

    def estimate(
        self, source: Location, destination: Location | None, amount: Amount, options: Mapping[str, Any]
    ) -> Estimate | str:
        """Of copying so much from the source; or why nobody can say. `destination` None: as if it were elsewhere."""
        classes = self._classes(source, amount)
        if classes is None and self.book is not None:
            return NO_CLASSES
        return self.of_classes(source, destination, classes or {}, options)

    def of_classes(
        self,
        source: Location,
        destination: Location | None,
        classes: Mapping[str, Amount],
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Estimate | str:
        """The same where somebody has looked in which classes it lies."""
        if self.book is None:
            return NO_PRICES
        return estimate(
            self.book,
            classes=classes,
            tier=Tier(options.get("tier") or self.tier),
            days=int(options.get("restoredDays") or self.days),
            region=self.regions.get(source.id),
            leaves=source.provider is Provider.AMAZON_S3 and not self._stays(source, destination),
            budget=self.budgets.get(source.id),
        )

    def _classes(self, source: Location, amount: Amount) -> dict[str, Amount] | None:
        if source.provider is not Provider.AMAZON_S3:
            return {}
        known = self.archived.get(source.id)
        return {known: amount} if known else None

    def _stays(self, source: Location, destination: Location | None) -> bool:
        """Whether the bytes stay in one region of one provider."""
        return (
            destination is not None
            and destination.provider is source.provider
            and self.regions.get(destination.id) == self.regions.get(source.id)
        )


def cost_fields(found: Estimate | str) -> dict[str, Any]:
    """`cost`, and where there is none, why."""
    return {"cost": None, "costReason": found} if isinstance(found, str) else {"cost": found.document()}


def estimated_from(archive_class: str | None, amount: Amount) -> dict[str, Any]:
    """Objects and bytes by storage class, and on what that rests: never on a look at each object."""
    if archive_class is None:
        return {"classes": None, "classesReason": NO_CLASSES}
    told = {archive_class: {"objects": amount.objects, "bytes": amount.bytes}}
    return {"classes": told, "classesEstimated": True, "classesReason": BY_LOCATION}


def together(found: Sequence[Estimate | str]) -> dict[str, Any]:
    """The sum of several estimates; none where one of them is missing."""
    missing = [one for one in found if isinstance(one, str)]
    known = [one for one in found if not isinstance(one, str)]
    if missing or not known:
        return {"cost": None, "costReason": missing[0] if missing else "Nothing would be created."}
    totals = [one.total for one in known]
    whole = sum(totals[1:], totals[0])
    return {
        "cost": {
            "type": "Cost",
            "currency": known[0].currency,
            "total": money(whole.total),
            "requests": sum(one.requests for one in known),
            "thawing": [tier_document(tier) for tier in tiers_together(known)],
            "unverified": sorted(whole.unverified),
            "unknown": sorted(whole.unknown),
        }
    }
