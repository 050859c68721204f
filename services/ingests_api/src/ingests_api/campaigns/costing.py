"""What a campaign would cost and take, source by source and in all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.domain.location import Location, LocationId
from common.ledger.campaigns.weighing import Load
from common.thawing.costs import Amount
from common.thawing.estimates import Estimate
from common.thawing.pricing import cost_fields, estimated_from, together
from ingests_api.choosing import Offer


def cost_of(
    loads: Sequence[Load], *, destination: LocationId, options: Mapping[str, Any], offer: Offer
) -> dict[str, Any]:
    """`cost`, and `sources` with what each would give and cost. None, with the reason, where a part is not known."""
    to = offer.locations.get(destination)
    found = [_estimate(load, to, options, offer) for load in loads]
    whole = cost_fields(found[0]) if len(found) == 1 else together(found)
    return whole | {"sources": [_source(load, one, offer) for load, one in zip(loads, found, strict=True)]}


def _estimate(load: Load, to: Location | None, options: Mapping[str, Any], offer: Offer) -> Estimate | str:
    source = offer.locations.get(LocationId(load.source_id))
    if source is None:
        return f"Location {load.source_id} is not in this service's locations file."
    return offer.pricing.estimate(source, to, Amount(load.files, load.bytes), options)


def _source(load: Load, found: Estimate | str, offer: Offer) -> dict[str, Any]:
    return {
        "location": {"id": load.source_id, "type": "Location"},
        "bags": load.bags,
        "objects": load.files,
        "bytes": load.bytes,
        **estimated_from(offer.frozen.get(LocationId(load.source_id)), Amount(load.files, load.bytes)),
        **cost_fields(found),
    }
