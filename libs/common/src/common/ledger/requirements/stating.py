"""Stating requirements, and taking them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from common.ledger.requirements.tables import requirements


@dataclass(frozen=True, slots=True)
class Healing:
    """How an audit makes good what is missing, by campaigns that it begins itself."""

    at_most: int = 1000
    """Bag versions in one campaign; the next one begins when it has finished."""
    bags_in_flight: int = 50


@dataclass(frozen=True, slots=True)
class Audited:
    """What the last audit found."""

    at: datetime
    missing_bags: int
    missing_bytes: int
    failed_bags: int
    """Missing, and the last attempt failed: left to people."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A location that must hold every bag of a space, or of all."""

    id: int
    location_id: str
    space: str | None
    healing: Healing | None
    audited: Audited | None
    campaign_id: UUID | None
    """The last campaign that the audit began."""
    created_by: str
    created_at: datetime


def state(
    connection: Connection, *, location_id: str, space: str | None, healing: Healing | None, actor: str
) -> Requirement:
    """Require the location. Where it is required already, only the healing changes; the next audit is at once."""
    heals = healing or Healing()
    values = {"heals": healing is not None, "heals_at_most": heals.at_most, "bags_in_flight": heals.bags_in_flight}
    row = connection.execute(
        insert(requirements)
        .values(location_id=location_id, space=space, created_by=actor, **values)
        .on_conflict_do_update(
            index_elements=["location_id", func.coalesce(text("space"), text("''"))],
            set_=values | {"audited_at": None},
        )
        .returning(*requirements.c)
    ).one()
    return _requirement(row)


def take_back(connection: Connection, requirement_id: int) -> Requirement | None:
    """The requirement that is no more; None where there was none. Its campaigns go on."""
    row = connection.execute(
        delete(requirements).where(requirements.c.id == requirement_id).returning(*requirements.c)
    ).one_or_none()
    return None if row is None else _requirement(row)


def every_requirement(connection: Connection) -> list[Requirement]:
    """All of them, by location and space."""
    rows = connection.execute(
        select(requirements).order_by(requirements.c.location_id, requirements.c.space.nulls_first())
    )
    return [_requirement(row) for row in rows]


def _requirement(row: Row[Any]) -> Requirement:
    audited = None
    if row.audited_at is not None:
        audited = Audited(row.audited_at, row.missing_bags or 0, row.missing_bytes or 0, row.failed_bags or 0)
    return Requirement(
        id=row.id,
        location_id=row.location_id,
        space=row.space,
        healing=Healing(row.heals_at_most, row.bags_in_flight) if row.heals else None,
        audited=audited,
        campaign_id=row.campaign_id,
        created_by=row.created_by,
        created_at=row.created_at,
    )
