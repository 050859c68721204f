"""From where and to where: holds a request against what the register knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from common.domain.location import Location, LocationId
from common.domain.replica import EvidenceClass
from common.ledger.bags import BagLocation, BagRecord
from common.ledger.wishes import Wish
from common.thawing.pricing import Pricing
from common.web.fields import Invalid
from ingests_api.request import Source, Wanted
from ingests_api.tiers import tier_fault


@dataclass(frozen=True, slots=True)
class Offer:
    """What this deployment has."""

    locations: Mapping[LocationId, Location]
    writable: frozenset[LocationId]
    warm: tuple[LocationId, ...] = ()
    """Where copies can be read without a thaw and by every worker, the cheapest first."""
    frozen: Mapping[LocationId, str] = field(default_factory=dict)
    """Storage classes of locations whose bags are archived, as the locations file says."""
    pricing: Pricing = field(default_factory=Pricing)


def choose_all(wanted: Wanted, *, bags: Iterable[BagRecord], offer: Offer) -> list[Wish]:
    """A wish for each bag version and destination, bags in their order. Raises Invalid, which names the choices."""
    named = wanted.destinations or (wanted.destination,)
    return [choose(wanted, bag=bag, to=to, offer=offer) for bag in bags for to in named]


def choose(wanted: Wanted, *, bag: BagRecord, to: str | None, offer: Offer) -> Wish:
    """The wish that the request comes to for one bag version and one destination. Raises Invalid."""
    given = _source(wanted.source, bag) if wanted.source else None
    destination = _destination(to, given or bag.primary, offer, forced=given is not None)
    source = given or _cheapest(bag, destination, offer)
    _check_tier(wanted, source, offer)
    return Wish(
        bag=bag,
        source=source,
        destination=destination,
        options=wanted.options.shown,
        callback_url=wanted.callback_url,
    )


def _cheapest(bag: BagRecord, destination: Location, offer: Offer) -> Location:
    """The cheapest copy that was verified and need not be thawed; the primary where there is none."""
    good = {copy.location.id: copy.location for copy in bag.locations if _can_be_read_from(copy)}
    warm = [good[one] for one in offer.warm if one in good and one != destination.id]
    return warm[0] if warm else bag.primary


def _can_be_read_from(copy: BagLocation) -> bool:
    """Copies whose names were mapped are read back by their own names only, so they are no source."""
    return (copy.primary or copy.evidence_class >= EvidenceClass.READ_BACK) and not copy.mapped


def _check_tier(wanted: Wanted, source: Location, offer: Offer) -> None:
    archived = offer.frozen.get(source.id)
    if fault := tier_fault(wanted.options.shown, archived=archived, location=source.id):
        raise Invalid(fault)


def _source(wanted: Source, bag: BagRecord) -> Location:
    copies = [copy.location for copy in bag.locations]
    found = next((location for location in copies if _means(wanted, location, bag)), None)
    if found is None:
        places = "; ".join(_told(location, bag) for location in copies)
        raise Invalid(
            f"Invalid value at .sourceLocation: {bag.bag} is not registered there. It is at: {places}. "
            "Leave sourceLocation out to copy from the primary."
        )
    return found


def _means(wanted: Source, location: Location, bag: BagRecord) -> bool:
    if wanted.id is not None:
        return wanted.id == location.id.value
    paths = (location.bag_root(bag.bag), location.root(bag.bag).rstrip("/"))
    return (wanted.provider, wanted.bucket) == (location.provider, location.bucket) and wanted.path in paths


def _told(location: Location, bag: BagRecord) -> str:
    return f"{location.id} ({location.provider}, bucket {location.bucket}, path {location.bag_root(bag.bag)})"


def _destination(wanted: str | None, source: Location, offer: Offer, *, forced: bool) -> Location:
    """`forced`: the request names the source itself, and it cannot be the destination. Otherwise a bag that is
    wanted where its primary copy lies is there already."""
    choices = sorted(offer.writable - {source.id})
    if wanted is None:
        return offer.locations[_only(choices)]
    if wanted == source.id.value and not forced and source.id in offer.writable:
        return offer.locations[source.id]
    if wanted == source.id.value:
        raise Invalid(
            f'Invalid value at .destination.id: got "{wanted}", which is the source. {_told_choices(choices)}'
        )
    if wanted not in {choice.value for choice in choices}:
        known = "is not a location that backfills may write to" if _known(wanted, offer) else "is no known location"
        raise Invalid(f'Invalid value at .destination.id: got "{wanted}", which {known}. {_told_choices(choices)}')
    return offer.locations[LocationId(wanted)]


def _known(wanted: str, offer: Offer) -> bool:
    return wanted in {location.value for location in offer.locations}


def _only(choices: list[LocationId]) -> LocationId:
    if len(choices) != 1:
        raise Invalid(f"Invalid value at .destination: Missing required field. {_told_choices(choices)}")
    return choices[0]


def _told_choices(choices: Iterable[LocationId]) -> str:
    listed = ", ".join(choice.value for choice in choices)
    if not listed:
        return "No other location is configured: add one to the locations file and to BACKFILL_DESTINATIONS."
    return f"Valid values are: {listed}."
