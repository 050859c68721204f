"""From where and to where: holds a request against what the register knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from common.domain.location import Location, LocationId
from common.ledger.bags import BagRecord
from common.ledger.requesting import Wish
from common.web.fields import Invalid
from ingests_api.request import Source, Wanted


@dataclass(frozen=True, slots=True)
class Offer:
    """What this deployment has."""

    locations: Mapping[LocationId, Location]
    writable: frozenset[LocationId]


def choose(wanted: Wanted, *, bag: BagRecord, offer: Offer) -> Wish:
    """The wish that the request comes to. Raises Invalid, which names the choices."""
    source = _source(wanted.source, bag)
    return Wish(
        bag=bag,
        source=source,
        destination=_destination(wanted.destination, source, offer),
        options=wanted.options,
        callback_url=wanted.callback_url,
    )


def _source(wanted: Source | None, bag: BagRecord) -> Location:
    if wanted is None:
        return bag.primary
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


def _destination(wanted: str | None, source: Location, offer: Offer) -> Location:
    choices = sorted(offer.writable - {source.id})
    if wanted is None:
        return offer.locations[_only(choices)]
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
