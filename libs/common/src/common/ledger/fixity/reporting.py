"""How the copies under policies stand: what is due, overdue, bad, or could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from common.domain.bag import BagVersion
from common.domain.replica import CheckState, EvidenceClass, Verdict
from common.ledger.fixity.policies import Policy, every_policy
from common.ledger.fixity.schedule_tables import copy_schedule
from common.ledger.fixity.tables import copy_health, fixity_checks
from common.ledger.tables import NOW, bag_locations, bag_versions

_DAY = 86400.0


class Standing(StrEnum):
    """Which copies are asked for."""

    OVERDUE = "overdue"
    """Not read again a tenth of the period after they were due; nor, where they are frozen, shown by digests."""
    DUE = "due"
    BAD = "bad"
    UNREAD = "unread"
    """The last check could not read every file: they are frozen."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Totals:
    """The copies of one policy. `overdue` are among `due`."""

    copies: int
    due: int
    overdue: int
    running: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class CopyStanding:
    """One registered copy."""

    bag: BagVersion
    location_id: str
    evidence_class: str
    """In the bag's record."""
    verdict: Verdict | None
    """Of the last check that finished."""
    read_at: datetime | None
    """When a check last read every file."""
    checked_class: EvidenceClass | None
    """The weakest of that last check's evidence, as of `checked_at`: of frozen files what the store told of them."""
    checked_at: datetime | None
    check_id: int | None
    due_at: datetime | None
    overdue: bool


def totals(connection: Connection) -> list[tuple[Policy, Totals]]:
    """Every policy with its copies counted."""
    return [(policy, _totals(connection, policy)) for policy in every_policy(connection)]


def health(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """By location, how many copies the last check found good, bad or unread; under policies or not."""
    rows = connection.execute(
        select(copy_health.c.location_id, copy_health.c.verdict, func.count().label("copies")).group_by(
            copy_health.c.location_id, copy_health.c.verdict
        )
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.location_id, {})[row.verdict] = row.copies
    return found


def copies(
    connection: Connection, *, standing: Standing, location_id: str | None, after: tuple[int, str] | None, limit: int
) -> list[tuple[int, CopyStanding]]:
    """A page of registered copies by bag version's id and location, each with that id."""
    query = (
        select(
            bag_versions.c.id,
            bag_versions.c.space,
            bag_versions.c.external_identifier,
            bag_versions.c.version,
            bag_locations.c.location_id,
            bag_locations.c.evidence_class,
            copy_health.c.verdict,
            copy_health.c.read_at,
            copy_health.c.evidence_class.label("checked_class"),
            copy_health.c.checked_at,
            copy_health.c.check_id,
            copy_schedule.c.due_at,
            func.coalesce(_OVERDUE, False).label("overdue"),
        )
        .select_from(bag_locations)
        .join(bag_versions, bag_versions.c.id == bag_locations.c.bag_version_id)
        .outerjoin(copy_health, _same_copy(copy_health))
        .outerjoin(copy_schedule, _same_copy(copy_schedule))
        .where(*_WANTED[standing])
    )
    if location_id is not None:
        query = query.where(bag_locations.c.location_id == location_id)
    if after is not None:
        number, place = after
        behind = (bag_versions.c.id == number) & (bag_locations.c.location_id > place)
        query = query.where(or_(bag_versions.c.id > number, behind))
    rows = connection.execute(query.order_by(bag_versions.c.id, bag_locations.c.location_id).limit(limit))
    return [(row.id, _standing(row)) for row in rows]


_GRACE = func.make_interval(0, 0, 0, 0, 0, 0, copy_schedule.c.every_days * _DAY / 10)
_OVERDUE: ColumnElement[bool] = copy_schedule.c.due_at + _GRACE < NOW
_WANTED: dict[Standing, tuple[ColumnElement[bool], ...]] = {
    Standing.OVERDUE: (_OVERDUE,),
    Standing.DUE: (copy_schedule.c.due_at <= NOW,),
    Standing.BAD: (copy_health.c.verdict == Verdict.BAD.value,),
    Standing.UNREAD: (copy_health.c.verdict == Verdict.UNREAD.value,),
    Standing.ALL: (),
}


def overdue_of(policy_id: int) -> Select[Any]:
    """The copies of a policy that are overdue, found among those that are due."""
    due = copy_schedule.c.due_at <= NOW
    return select(copy_schedule.c.bag_version_id).where(copy_schedule.c.policy_id == policy_id, due, _OVERDUE)


def _totals(connection: Connection, policy: Policy) -> Totals:
    due = copy_schedule.c.due_at <= NOW
    row = connection.execute(
        select(
            func.count().label("copies"),
            func.count().filter(due).label("due"),
            func.count().filter(_OVERDUE).label("overdue"),
            func.min(copy_schedule.c.due_at).filter(due).label("oldest_due"),
        ).where(copy_schedule.c.policy_id == policy.id)
    ).one()
    running = connection.execute(
        select(func.count())
        .select_from(fixity_checks)
        .join(
            copy_schedule,
            (copy_schedule.c.bag_version_id == fixity_checks.c.bag_version_id)
            & (copy_schedule.c.location_id == fixity_checks.c.location_id),
        )
        .where(fixity_checks.c.state == CheckState.REREADING.value, copy_schedule.c.policy_id == policy.id)
    ).scalar_one()
    return Totals(row.copies, row.due, row.overdue, running, row.oldest_due)


def _same_copy(table: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = (table.c.bag_version_id == bag_locations.c.bag_version_id) & (
        table.c.location_id == bag_locations.c.location_id
    )
    return same


def _standing(row: Any) -> CopyStanding:
    return CopyStanding(
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        location_id=row.location_id,
        evidence_class=row.evidence_class,
        verdict=Verdict(row.verdict) if row.verdict else None,
        read_at=row.read_at,
        checked_class=EvidenceClass(row.checked_class) if row.checked_class else None,
        checked_at=row.checked_at,
        check_id=row.check_id,
        due_at=row.due_at,
        overdue=row.overdue,
    )
