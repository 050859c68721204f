"""What bringing objects back, reading them and sending them away would cost, before any of it is asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.costs import Amount, Cost, egress_cost, reading_cost, restore_cost
from common.thawing.prices import PriceBook
from common.thawing.tiers import DEEP, FROZEN, allowed, span
from common.wording import count, size

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ByTier:
    """Thawing at one tier."""

    tier: Tier
    cost: Cost
    within: timedelta
    """What the provider says that the slowest of it takes, from a request on; 0 where nothing is frozen."""
    exceeds: tuple[str, ...]
    """What of the budget it goes beyond, in sentences."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known before it is spent."""

    currency: str
    region: str | None
    days: int
    classes: Mapping[str, Amount]
    requests: int
    """One for each frozen object."""
    tiers: tuple[ByTier, ...]
    """The tiers that there are for these classes, the one that would be asked for first."""
    reading: Cost
    egress: Cost | None
    """None: nothing leaves the provider."""

    @property
    def total(self) -> Cost:
        """By the first tier."""
        return self.tiers[0].cost + self.reading + (self.egress or Cost())

    def document(self) -> dict[str, Any]:
        """As the wire has it: money as text with two decimals."""
        total = self.total
        return {
            "type": "Cost",
            "currency": self.currency,
            "total": money(total.total),
            "region": self.region,
            "restoredDays": self.days,
            "requests": self.requests,
            "thawing": [tier_document(one) for one in self.tiers],
            "reading": money(self.reading.total),
            "egress": money(self.egress.total) if self.egress else None,
            "unverified": sorted(total.unverified),
            "unknown": sorted(total.unknown),
        }


def estimate(
    book: PriceBook,
    *,
    classes: Mapping[str, Amount],
    tier: Tier,
    days: int,
    region: str | None = None,
    leaves: bool = True,
    budget: Budget | None = None,
) -> Estimate:
    """Everything is asked for once and read once. `leaves`: its bytes leave the provider's network."""
    frozen = {name: amount for name, amount in classes.items() if name in FROZEN}
    tiers = [one for one in (tier, *(other for other in Tier if other is not tier)) if _offered(one, frozen, tier)]
    whole = sum(classes.values(), Amount(0, 0))
    return Estimate(
        currency=book.currency,
        region=region,
        days=days,
        classes=dict(classes),
        requests=sum(amount.objects for amount in frozen.values()),
        tiers=tuple(_by_tier(book, one, frozen, region, days, budget or Budget()) for one in tiers),
        reading=sum(
            (reading_cost(book, region=region, storage_class=name, amount=one) for name, one in classes.items()), Cost()
        ),
        egress=egress_cost(book, region=region, octets=whole.bytes) if leaves else None,
    )


def money(amount: Decimal) -> str:
    """ "1774.00"; what is more than nothing is never shown as nothing."""
    return (
        str(amount.quantize(_CENT)) if not amount or amount >= _CENT / 2 else str(amount.quantize(Decimal("0.000001")))
    )


def _offered(tier: Tier, frozen: Mapping[str, Amount], wished: Tier) -> bool:
    return tier is wished or tier is not Tier.EXPEDITED or not any(name in DEEP for name in frozen)


def _by_tier(
    book: PriceBook, tier: Tier, frozen: Mapping[str, Amount], region: str | None, days: int, budget: Budget
) -> ByTier:
    costs = [
        restore_cost(book, region=region, storage_class=name, tier=tier, amount=amount, days=days)
        for name, amount in frozen.items()
    ]
    cost, whole = sum(costs, Cost()), sum(frozen.values(), Amount(0, 0))
    latest = max((span(name, allowed(name, tier)).latest for name in frozen), default=timedelta(0))
    return ByTier(tier, cost, latest, tuple(_beyond(whole, cost, budget, book.currency)))


def _beyond(whole: Amount, cost: Cost, budget: Budget, currency: str) -> list[str]:
    told = []
    if budget.bytes_in_flight is not None and whole.bytes > budget.bytes_in_flight:
        told.append(f"{size(whole.bytes)}, and {size(budget.bytes_in_flight)} may be in flight: it goes in parts")
    if budget.objects_in_flight is not None and whole.objects > budget.objects_in_flight:
        told.append(
            f"{count(whole.objects, 'object')}, and {budget.objects_in_flight:,} may be in flight: it goes in parts"
        )
    if budget.bytes_per_day is not None and whole.bytes > budget.bytes_per_day:
        days = ceil(whole.bytes / budget.bytes_per_day)
        told.append(f"{size(whole.bytes)} at {size(budget.bytes_per_day)} a day: at least {count(days, 'day')}")
    if budget.requests_per_day is not None and whole.objects > budget.requests_per_day:
        days = ceil(whole.objects / budget.requests_per_day)
        told.append(
            f"{count(whole.objects, 'request')} at {budget.requests_per_day:,} a day: at least {count(days, 'day')}"
        )
    if budget.cost_per_month is not None and cost.total > budget.cost_per_month:
        months = ceil(cost.total / budget.cost_per_month) if budget.cost_per_month else 0
        least = f"at least {count(months, 'month')}" if months else "never"
        told.append(f"{money(cost.total)} {currency} at {budget.cost_per_month:.2f} a month: {least}")
    return told


def tiers_together(found: Sequence[Estimate]) -> list[ByTier]:
    """The tiers that all of them have, summed; the slowest decides how long it takes."""
    frozen = [one for one in found if one.requests]
    every = [{by.tier: by for by in one.tiers} for one in frozen]
    common = [by.tier for by in frozen[0].tiers if all(by.tier in one for one in every)] if frozen else []
    return [_summed([one[tier] for one in every]) for tier in common]


def _summed(parts: Sequence[ByTier]) -> ByTier:
    cost = sum((one.cost for one in parts), Cost())
    beyond = dict.fromkeys(told for one in parts for told in one.exceeds)
    return ByTier(parts[0].tier, cost, max(one.within for one in parts), tuple(beyond))


def tier_document(one: ByTier) -> dict[str, Any]:
    """As the wire has it."""
    return {
        "tier": one.tier.value,
        "total": money(one.cost.total),
        "retrieval": money(one.cost.retrieval),
        "requests": money(one.cost.requests),
        "readableCopies": money(one.cost.copies),
        "withinSeconds": int(one.within.total_seconds()),
        "exceeds": list(one.exceeds),
    }
