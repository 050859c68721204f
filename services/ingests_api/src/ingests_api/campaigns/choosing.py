"""Holds a campaign request against what the register knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from common.domain.campaign import Limits, Order
from common.errors import StoreError, TransientError
from common.ledger.campaigns import records, selecting, weighing
from common.ledger.campaigns.controlling import NewCampaign
from common.ledger.campaigns.selecting import Selected, Selection
from common.ledger.campaigns.weighing import Load
from common.web.answers import Refused
from ingests_api.campaigns.lists import MOST_BYTES, read_list
from ingests_api.campaigns.request import CampaignRequest, Choice, Listing, bag_name
from ingests_api.choosing import Offer
from ingests_api.surroundings import ReadObject
from ingests_api.tiers import tier_fault_everywhere

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """A campaign that could begin."""

    wanted: CampaignRequest
    destination: str
    selection: Selection
    options: Mapping[str, Any]
    listed: Sequence[int] = field(default_factory=tuple)

    def preview(self, connection: Connection) -> Selected:
        """What would be selected now; nothing is written."""
        if not self.selection.listed:
            return selecting.preview(
                connection, selection=self.selection, destination_id=self.destination, order=self.wanted.order
            )
        return selecting.preview_listed(connection, ids=list(self.listed), order=self.wanted.order)

    def weigh(self, connection: Connection, *, warm: Sequence[str]) -> list[Load]:
        """What would be copied from which location, as it is now; nothing is written."""
        if not self.selection.listed:
            return weighing.weigh(
                connection,
                selection=self.selection,
                destination_id=self.destination,
                order=self.wanted.order,
                warm=warm,
            )
        return weighing.weigh_listed(connection, ids=list(self.listed), destination_id=self.destination, warm=warm)

    def campaign(self, campaign_id: UUID, *, actor: str) -> NewCampaign:
        limits: Limits = self.wanted.limits.limits()
        order: Order = self.wanted.order
        return NewCampaign(
            id=campaign_id,
            name=self.wanted.name,
            destination_id=self.destination,
            selection=self.selection,
            listed=self.listed,
            order=order,
            options=self.options,
            priority=self.wanted.priority,
            limits=limits,
            expected_count=self.wanted.expected_count,
            actor=actor,
        )


def chosen(connection: Connection, wanted: CampaignRequest, *, offer: Offer, read: ReadObject | None) -> Chosen:
    """The campaign that the request comes to. Raises Refused, which names what to send instead."""
    destination = _destination(wanted.destination.id, offer)
    choice, options = wanted.selection, wanted.wire_options()
    sources = [one for one in offer.locations if one.value != destination and one not in offer.warm]
    if fault := tier_fault_everywhere(options, sources=sources, frozen=offer.frozen):
        raise Refused(400, fault)
    if choice.missing is not None:
        conditions = choice.missing
        selection = Selection(
            space=conditions.space,
            deposited_after=conditions.deposited_after,
            deposited_before=conditions.deposited_before,
            largest=conditions.largest_bytes,
            most=conditions.most,
        )
        return Chosen(wanted, destination, selection, options)
    if choice.failed_of is not None:
        if records.find_campaign(connection, choice.failed_of) is None:
            raise Refused(404, f"Backfill {choice.failed_of} not found (at .selection.failedOf)")
        return Chosen(wanted, destination, Selection(failed_of=choice.failed_of), options)
    ids = _looked_up(connection, _names(choice, offer, read))
    return Chosen(wanted, destination, Selection(listed=True), options, listed=ids)


def _destination(wanted: str, offer: Offer) -> str:
    choices = sorted(location.value for location in offer.writable)
    if wanted not in choices:
        raise Refused(
            400,
            f'Invalid value at .destination.id: got "{wanted}", which is no location that backfills may write to. '
            f"Valid values are: {', '.join(choices) or 'none is configured'}.",
        )
    return wanted


def _names(choice: Choice, offer: Offer, read: ReadObject | None) -> list[tuple[str, str, int | None]]:
    if choice.csv is not None:
        return read_list(_object(choice.csv, offer, read))
    names, faults = [], []
    for number, text in enumerate(choice.bags or []):
        try:
            names.append(bag_name(text))
        except ValueError as error:
            faults.append(f"Invalid value at .selection.bags[{number}]: {error}")
    if faults:
        raise Refused(400, "\n".join(faults[:_MOST_NAMED]))
    return names


def _object(listing: Listing, offer: Offer, read: ReadObject | None) -> bytes:
    location = next((known for known in offer.locations if known.value == listing.location), None)
    if location is None or read is None:
        known = ", ".join(sorted(known.value for known in offer.locations))
        raise Refused(
            400, f'Invalid value at .selection.csv.location: got "{listing.location}", valid values are: {known}.'
        )
    try:
        return read(location, listing.key, MOST_BYTES)
    except ValueError as error:
        raise Refused(413, f"The list {listing.key} cannot be used: {error}. Send it in parts.") from None
    except TransientError:
        raise
    except StoreError as error:
        raise Refused(400, f"The list {listing.key} cannot be read at {listing.location}: {error}") from None


def _looked_up(connection: Connection, names: list[tuple[str, str, int | None]]) -> tuple[int, ...]:
    found = selecting.look_up(connection, names=names)
    if found.unknown:
        told = ", ".join(found.unknown[:_MOST_NAMED])
        more = f" and {len(found.unknown) - _MOST_NAMED} more" if len(found.unknown) > _MOST_NAMED else ""
        raise Refused(404, f"{len(found.unknown)} of {len(names)} bag versions are not registered: {told}{more}.")
    return found.ids
