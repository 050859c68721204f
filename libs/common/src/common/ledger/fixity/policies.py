"""Policies: how often the copies at a location are read again, of one space or of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from common.ledger.fixity.schedule_tables import fixity_policies


@dataclass(frozen=True, slots=True)
class Policy:
    """Every copy at the location is read again within so many days."""

    id: int
    location_id: str
    space: str | None
    """None: every space that has no policy of its own there."""
    every_days: int
    at_once: int
    """Checks under way at the same time."""
    bytes_per_second: int | None
    """On average; None: as fast as the location's own limits allow."""
    created_by: str
    created_at: datetime


_COLUMNS = [column for column in fixity_policies.columns if column.name != "paid_until"]


def state(
    connection: Connection,
    *,
    location_id: str,
    space: str | None,
    every_days: int,
    at_once: int,
    bytes_per_second: int | None,
    actor: str,
) -> Policy:
    """State a policy; one of the same place and space is changed."""
    wanted = {"every_days": every_days, "at_once": at_once, "bytes_per_second": bytes_per_second}
    row = connection.execute(
        upsert(fixity_policies)
        .values(location_id=location_id, space=space, created_by=actor, **wanted)
        .on_conflict_do_update(
            index_elements=["location_id", text("coalesce(space, '')")],
            set_={**wanted, "paid_until": func.clock_timestamp()},
        )
        .returning(*_COLUMNS)
    ).one()
    return Policy(**row._mapping)


def every_policy(connection: Connection) -> list[Policy]:
    rows = connection.execute(select(*_COLUMNS).order_by(fixity_policies.c.location_id, fixity_policies.c.space))
    return [Policy(**row._mapping) for row in rows]


def take_back(connection: Connection, policy_id: int) -> Policy | None:
    """Checks that run go on; None where there is no such policy."""
    row = connection.execute(
        delete(fixity_policies).where(fixity_policies.c.id == policy_id).returning(*_COLUMNS)
    ).one_or_none()
    return Policy(**row._mapping) if row else None
