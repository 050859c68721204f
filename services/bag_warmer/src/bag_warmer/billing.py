"""What restores cost that a store took on, by the price book. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.domain.location import LocationId
from common.ledger.thawing.asking import Bill
from common.ports import Tier
from common.thawing.costs import Amount, Cost, copy_cost, restore_cost
from common.thawing.prices import PriceBook


@dataclass(frozen=True, slots=True)
class Billing:
    """The book, and where the locations are."""

    book: PriceBook
    regions: Mapping[LocationId, str | None]

    def restored(self, source: LocationId, *, storage_class: str, tier: Tier, amount: Amount, days: int) -> Cost:
        """Of bringing so much back."""
        region = self.regions.get(source)
        return restore_cost(self.book, region=region, storage_class=storage_class, tier=tier, amount=amount, days=days)

    def bill(
        self,
        source: LocationId,
        *,
        storage_class: str,
        tier: Tier,
        days: int | None,
        amount: Amount,
        extension: bool = False,
    ) -> Bill:
        """`days`: None where objects are moved for good. `extension`: readable copies were prolonged."""
        lasting = days or 0
        if extension:
            # Nothing is brought back: the requests are billed, and the copies for longer.
            requests = Amount(amount.objects, 0)
            cost = self.restored(source, storage_class=storage_class, tier=tier, amount=requests, days=0)
            cost += copy_cost(self.book, region=self.regions.get(source), amount=amount, days=lasting)
        else:
            cost = self.restored(source, storage_class=storage_class, tier=tier, amount=amount, days=lasting)
        return Bill(
            storage_class=storage_class,
            tier=tier.value,
            days=lasting,
            extension=extension,
            objects=amount.objects,
            bytes=amount.bytes,
            cost=cost.total,
            currency=self.book.currency,
            priced=not cost.unknown,
        )
