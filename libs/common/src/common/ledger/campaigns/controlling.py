"""What people do to a campaign: begin, pause, resume, change, cancel, retry. Who and why goes into its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from common.domain.campaign import CampaignState, Disposition, Limits, Order
from common.domain.replica import ReplicaState
from common.ledger.campaigns import events, selecting
from common.ledger.campaigns.selecting import Selection
from common.ledger.campaigns.tables import campaign_items, campaigns
from common.ledger.tables import replicas


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A campaign that somebody asks for, checked."""

    id: UUID
    name: str
    destination_id: str
    selection: Selection
    listed: Sequence[int]
    """Ids of bag versions, where they are listed one by one."""
    order: Order
    options: Mapping[str, Any]
    priority: int
    limits: Limits
    expected_count: int | None
    actor: str


class WrongState(Exception):
    """The campaign is in a state in which this cannot be done; the message says which."""


def begin(connection: Connection, new: NewCampaign) -> None:
    """Write the campaign down; the rest happens in the background."""
    connection.execute(
        insert(campaigns).values(
            id=new.id,
            name=new.name,
            state=CampaignState.SELECTING.value,
            destination_id=new.destination_id,
            selection=new.selection.to_json(),
            ordering=new.order.value,
            options=dict(new.options),
            priority=new.priority,
            bags_in_flight=new.limits.bags_in_flight,
            bytes_in_flight=new.limits.bytes_in_flight,
            bytes_per_day=new.limits.bytes_per_day,
            expected_count=new.expected_count,
            created_by=new.actor,
        )
    )
    if new.listed:
        selecting.write_listed(connection, campaign_id=new.id, ids=list(new.listed), order=new.order)
    events.add(connection, new.id, "Created", actor=new.actor)


def pause(connection: Connection, campaign_id: UUID, *, actor: str, reason: str) -> None:
    """Let nothing more in; what is under way goes on. Twice: nothing happens. Raises WrongState, LookupError."""
    _set_paused(connection, campaign_id, paused=True, said=_because("Paused", reason), actor=actor)


def resume(connection: Connection, campaign_id: UUID, *, actor: str, reason: str) -> None:
    """Let more in again. Twice: nothing happens. Raises WrongState, LookupError."""
    _set_paused(connection, campaign_id, paused=False, said=_because("Resumed", reason), actor=actor)


def _set_paused(connection: Connection, campaign_id: UUID, *, paused: bool, said: str, actor: str) -> None:
    campaign = _open(connection, campaign_id)
    if campaign.paused == paused:
        return
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(paused=paused))
    events.add(connection, campaign_id, said, actor=actor)


def change(connection: Connection, campaign_id: UUID, *, values: Mapping[str, Any], said: str, actor: str) -> None:
    """Change priority or limits, also while it runs. Raises WrongState, LookupError."""
    _open(connection, campaign_id)
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(**values))
    if "priority" in values:
        _change_urgency(connection, campaign_id, max(0, values["priority"]))
    events.add(connection, campaign_id, said, actor=actor)


def _change_urgency(connection: Connection, campaign_id: UUID, priority: int) -> None:
    """Also of what is under way: workers take the most urgent row of their lane first."""
    own = select(campaign_items.c.ingest_id).where(
        campaign_items.c.campaign_id == campaign_id,
        campaign_items.c.disposition == Disposition.CREATED.value,
        campaign_items.c.done_at.is_(None),
    )
    open_ones = [state.value for state in ReplicaState if not state.terminal]
    connection.execute(
        update(replicas).where(replicas.c.ingest_id.in_(own), replicas.c.state.in_(open_ones)).values(priority=priority)
    )


_CANCEL = """
WITH held AS (
    SELECT item.bag_version_id, item.ingest_id
    FROM campaign_items item JOIN replicas replica ON replica.ingest_id = item.ingest_id
    WHERE item.campaign_id = :campaign AND item.released_at IS NULL AND item.disposition = 'created'
      AND replica.state = 'planning' AND replica.not_before = timestamptz '9999-01-01 00:00:00+00'
    FOR UPDATE OF replica
), stopped AS (
    UPDATE replicas SET state = 'failed', error_code = 'cancelled', last_error = :why, fence = fence + 1
    FROM held WHERE replicas.ingest_id = held.ingest_id
), told AS (
    INSERT INTO ingest_events (ingest_id, description, detail)
    SELECT ingest_id, :said, jsonb_build_object('code', 'cancelled', 'reason', CAST(:why AS text)) FROM held
), ended AS (
    UPDATE ingests SET status = 'failed', error_code = 'cancelled', finished_at = clock_timestamp()
    FROM held WHERE ingests.id = held.ingest_id AND ingests.status IN ('accepted', 'processing')
), counted AS (
    UPDATE campaign_items item SET released_at = clock_timestamp()
    FROM held WHERE item.campaign_id = :campaign AND item.bag_version_id = held.bag_version_id
)
SELECT count(*) FROM held
"""


def cancel(connection: Connection, campaign_id: UUID, *, actor: str, reason: str) -> int:
    """End the campaign: ingests that were not let in are cancelled, those under way go on and keep their outcome.

    Returns how many were cancelled. Raises WrongState, LookupError.
    """
    _open(connection, campaign_id)
    why = reason or "the campaign was cancelled"
    facts = {"campaign": campaign_id, "why": why, "said": f"Cancelled with its campaign: {why}"[:250]}
    cancelled = int(connection.execute(text(_CANCEL), facts).scalar_one())
    connection.execute(
        update(campaigns).where(campaigns.c.id == campaign_id).values(state=CampaignState.CANCELLING.value, reason=why)
    )
    said = _because("Cancelled", reason) + f"; {cancelled} ingests that had not begun were cancelled"
    events.add(connection, campaign_id, said, actor=actor)
    return cancelled


_OVER = [state.value for state in (CampaignState.CANCELLING, CampaignState.CANCELLED, CampaignState.REFUSED)]

_RETRY = """
UPDATE campaign_items SET disposition = NULL, ingest_id = NULL, released_at = NULL, done_at = NULL, outcome = NULL
WHERE campaign_id = :campaign AND outcome = 'failed'
"""


def retry(connection: Connection, campaign_id: UUID, *, actor: str, reason: str) -> int:
    """Create new ingests for those that failed; returns how many. A finished campaign runs again.

    Raises WrongState (cancelled, refused), LookupError.
    """
    campaign = _locked(connection, campaign_id)
    if campaign.state in _OVER:
        raise WrongState(f"is {campaign.state}; create a new one from its failures instead")
    again = connection.execute(text(_RETRY), {"campaign": campaign_id}).rowcount
    if again:
        connection.execute(
            update(campaigns)
            .where(campaigns.c.id == campaign_id)
            .values(state=_state_to_create(campaign), finished_at=None, failed_bags=campaigns.c.failed_bags - again)
        )
        events.add(connection, campaign_id, _because(f"Retrying {again} failed ingests", reason), actor=actor)
    return again


def _state_to_create(campaign: Any) -> str:
    selecting_still = campaign.state == CampaignState.SELECTING.value
    return (CampaignState.SELECTING if selecting_still else CampaignState.CREATING).value


def _open(connection: Connection, campaign_id: UUID) -> Any:
    campaign = _locked(connection, campaign_id)
    if campaign.finished_at is not None or campaign.state == CampaignState.CANCELLING.value:
        raise WrongState(f"is {campaign.state} already")
    return campaign


def _locked(connection: Connection, campaign_id: UUID) -> Any:
    """Raises LookupError where there is no such campaign."""
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id).with_for_update()).one_or_none()
    if row is None:
        raise LookupError(str(campaign_id))
    return row


def _because(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what
