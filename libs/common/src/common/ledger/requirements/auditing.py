"""The audit: counts what a required location lacks, and begins a capped campaign for it where that is switched on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select, update

from common.domain.campaign import Limits, Order
from common.ledger.campaigns import controlling
from common.ledger.campaigns.controlling import NewCampaign
from common.ledger.campaigns.selecting import Selection, preview
from common.ledger.campaigns.tables import campaigns
from common.ledger.claims import interval
from common.ledger.requirements.tables import requirements
from common.ledger.tables import NOW

AUDITOR = "audit"
"""Who begins the campaigns, in their history."""


def audit_next(connection: Connection, *, period: timedelta, new_id: UUID) -> int | None:
    """Audit the requirement that has waited longest, if one is due; its id, None where none is.

    Any number of processes may ask: each requirement is audited by one of them.
    """
    due = connection.execute(
        select(requirements)
        .where(
            or_(
                requirements.c.audited_at.is_(None),
                requirements.c.audited_at < func.clock_timestamp() - interval(period),
            )
        )
        .order_by(requirements.c.audited_at.nulls_first(), requirements.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if due is None:
        return None
    everything = Selection(space=due.space)
    healable = Selection(space=due.space, untried=True, most=due.heals_at_most)
    lacking = preview(connection, selection=everything, destination_id=due.location_id, order=Order.OLDEST)
    untried = preview(
        connection,
        selection=Selection(space=due.space, untried=True),
        destination_id=due.location_id,
        order=Order.OLDEST,
    )
    values: dict[str, Any] = {
        "audited_at": NOW,
        "missing_bags": lacking.bags,
        "missing_bytes": lacking.bytes,
        "failed_bags": lacking.bags - untried.bags,
    }
    if due.heals and untried.bags and not _still_running(connection, due.campaign_id):
        _begin(connection, due, healable, new_id)
        values["campaign_id"] = new_id
    connection.execute(update(requirements).where(requirements.c.id == due.id).values(**values))
    return int(due.id)


def _still_running(connection: Connection, campaign_id: UUID | None) -> bool:
    """One campaign of a requirement at a time: the cap would mean nothing otherwise."""
    found = connection.execute(
        select(campaigns.c.id).where(campaigns.c.id == campaign_id, campaigns.c.finished_at.is_(None))
    )
    return campaign_id is not None and found.first() is not None


def _begin(connection: Connection, due: Any, selection: Selection, campaign_id: UUID) -> None:
    where = f"{due.location_id}, {due.space}" if due.space else due.location_id
    controlling.begin(
        connection,
        NewCampaign(
            id=campaign_id,
            name=f"audit of {where}",
            destination_id=due.location_id,
            selection=selection,
            listed=(),
            order=Order.OLDEST,
            options={},
            priority=-50,
            limits=Limits(bags_in_flight=due.bags_in_flight),
            expected_count=None,
            actor=AUDITOR,
        ),
    )
