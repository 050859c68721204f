"""A campaign's history: what users read. It only grows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select

from common.ledger.campaigns.tables import campaign_events


@dataclass(frozen=True, slots=True)
class CampaignEvent:
    """One sentence of a campaign's history."""

    description: str
    actor: str
    """Who asked for it; empty: the service itself."""
    created_at: datetime


def add(connection: Connection, campaign_id: UUID, description: str, *, actor: str = "") -> None:
    connection.execute(insert(campaign_events).values(campaign_id=campaign_id, description=description, actor=actor))


def history(connection: Connection, campaign_id: UUID) -> tuple[CampaignEvent, ...]:
    """Oldest first."""
    rows = connection.execute(
        select(campaign_events.c.description, campaign_events.c.actor, campaign_events.c.created_at)
        .where(campaign_events.c.campaign_id == campaign_id)
        .order_by(campaign_events.c.id)
    )
    return tuple(CampaignEvent(row.description, row.actor, row.created_at) for row in rows)
