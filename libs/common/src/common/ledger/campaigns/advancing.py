"""One look after all campaigns: each is moved on by a bounded piece of work, in a transaction of its own.

Every process of the API may look; the rows' locks let one work on a campaign at a time. What was done is in the
tables, so that a look which dies is simply made again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, update

from common.domain.campaign import CampaignState, shares
from common.ledger.campaigns import counting, creating, events, releasing, selecting
from common.ledger.campaigns.tables import campaigns
from common.ledger.claims import Patience
from common.wording import count, size

_COUNTED = (CampaignState.RUNNING.value, CampaignState.CANCELLING.value)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How much work the pipeline may hold, whatever the campaigns' own limits."""

    segments: int = 20_000
    """Nothing more is let in while so many segments are open."""
    bags: int = 2_000
    """Bag versions of all campaigns under way together."""
    bytes: int | None = None
    """Bytes of all campaigns under way together, most of them thawed: restored copies are paid for by the day."""
    warm: tuple[str, ...] = ()
    """Locations to copy from rather than from the primary, the preferred first."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look did."""

    busy: bool
    """There is more to do at once: selecting or creating goes on."""
    let_in: int


def advance(connection: Connection, *, pipeline: Pipeline, patience: Patience) -> Looked:
    """Move every open campaign on by one piece of work."""
    found = releasing.open_campaigns(connection)
    prepared = [_prepare(connection, campaign, pipeline) for campaign in found]
    counted = [campaign for campaign in found if campaign.state in _COUNTED]
    for campaign in counted:
        counting.count_ends(connection, campaign)
    running = [c for c in counted if c.state == CampaignState.RUNNING.value and not c.paused]
    let_in = _let_in(connection, running, pipeline=pipeline, patience=patience)
    for campaign in counted:
        if ended := counting.finish_if_done(connection, campaign):
            events.add(connection, campaign.id, ended.value.capitalize())
    return Looked(busy=any(prepared), let_in=let_in)


def _prepare(connection: Connection, campaign: Any, pipeline: Pipeline) -> bool:
    """True if the campaign is not ready to run and wants another look at once."""
    if campaign.state == CampaignState.SELECTING.value:
        if selecting.select_batch(connection, campaign):
            _selected(connection, campaign)
        return True
    if campaign.state == CampaignState.CREATING.value:
        if creating.create_batch(connection, campaign, warm=pipeline.warm):
            _state(connection, campaign, CampaignState.RUNNING)
            events.add(connection, campaign.id, "Every ingest is created; letting them in")
        return True
    return False


def _selected(connection: Connection, campaign: Any) -> None:
    state, bags, octets = selecting.finish_selecting(connection, campaign)
    if state is CampaignState.REFUSED:
        said = f"Refused: {bags} bag versions were selected, {campaign.expected_count} were expected"
    else:
        said = f"Selected {count(bags, 'bag version')}, {size(octets)}"
    events.add(connection, campaign.id, said)


def _state(connection: Connection, campaign: Any, state: CampaignState) -> None:
    connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(state=state.value))


def _let_in(connection: Connection, running: list[Any], *, pipeline: Pipeline, patience: Patience) -> int:
    """Urgent campaigns first; those of one priority share evenly."""
    if not running or releasing.open_segments(connection, at_most=pipeline.segments) >= pipeline.segments:
        return 0
    loads = [releasing.load(connection, campaign.id) for campaign in running]
    free = pipeline.bags - sum(load.bags for load in loads)
    octets = None if pipeline.bytes is None else max(0, pipeline.bytes - sum(load.bytes for load in loads))
    done = 0
    for _, group in groupby(running, key=lambda campaign: campaign.priority):
        equals = list(group)
        left = max(0, free - done)
        wants = [releasing.wanted(connection, campaign, at_most=left) for campaign in equals]
        for campaign, places in zip(equals, shares(total=left, wants=wants), strict=True):
            released = releasing.release(connection, campaign, places=places, octets=octets, patience=patience)
            done += released.bags
            octets = None if octets is None else max(0, octets - released.bytes)
    return done
