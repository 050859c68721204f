"""What a dry run answers: what the request would come to, as far as the register knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.domain.location import LocationId
from common.domain.storage_manifest import location_document
from common.ledger.requesting import Standing
from common.ledger.wishes import Wish
from common.thawing.costs import Amount
from common.thawing.estimates import Estimate
from common.thawing.pricing import NO_PRICES, Pricing, cost_fields, estimated_from, together


def preview_document(
    found: Sequence[tuple[Wish, Standing]], *, frozen: Mapping[LocationId, str], pricing: Pricing
) -> dict[str, Any]:
    """Totals are of what would be created: what is there, or on its way, moves nothing."""
    created = [wish for wish, how in found if how.would == "create"]
    costs = [_cost(wish, pricing) for wish in created]
    return {
        "type": "DryRun",
        "wouldCreate": {
            "ingests": len(created),
            "objects": sum(wish.bag.file_count for wish in created),
            "bytes": sum(wish.bag.bytes for wish in created),
        },
        **(together(costs) if pricing.book else {"cost": None, "costReason": NO_PRICES}),
        "results": [_line(wish, how, frozen, pricing) for wish, how in found],
    }


def _cost(wish: Wish, pricing: Pricing) -> Estimate | str:
    amount = Amount(wish.bag.file_count, wish.bag.bytes)
    return pricing.estimate(wish.source, wish.destination, amount, wish.options)


def _line(wish: Wish, how: Standing, frozen: Mapping[LocationId, str], pricing: Pricing) -> dict[str, Any]:
    bag = wish.bag.bag
    return {
        "type": "DryRunResult",
        "would": how.would,
        "said": _said(wish, how),
        **({"ingest": str(how.running)} if how.running else {}),
        "space": bag.space.value,
        "externalIdentifier": bag.external_identifier.value,
        "version": str(bag.version),
        "sourceLocation": location_document(wish.source, path=wish.source.bag_root(bag)),
        "destination": location_document(wish.destination, path=wish.destination.bag_root(bag)),
        "options": dict(wish.options),
        "objects": wish.bag.file_count,
        "bytes": wish.bag.bytes,
        **estimated_from(frozen.get(wish.source.id), Amount(wish.bag.file_count, wish.bag.bytes)),
        **(cost_fields(_cost(wish, pricing)) if how.would == "create" and pricing.book else {}),
    }


def _said(wish: Wish, how: Standing) -> str:
    if how.running:
        return f"This copy is being made: the answer would be ingest {how.running}."
    if how.registered:
        return f"{wish.bag.bag} is already registered at {wish.destination.name}: the ingest would succeed at once."
    return f"{wish.bag.bag} would be copied from {wish.source.name} to {wish.destination.name}."
