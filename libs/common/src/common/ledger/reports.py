"""What is missing: bag versions that are not registered at a location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select, tuple_
from sqlalchemy.sql.selectable import Select

from common.domain.bag import BagVersion
from common.domain.replica import ReplicaState
from common.ledger.tables import bag_locations, bag_versions, replicas

MISSING, IN_PROGRESS, FAILED = "missing", "in progress", "failed"


@dataclass(frozen=True, slots=True)
class Unbackfilled:
    """A bag version without a registered copy at the location."""

    bag: BagVersion
    state: str
    """`missing` (nobody asked for a copy), `in progress` or `failed`."""
    stage: str | None
    """Where the work is; only in progress."""
    code: str | None
    """Why it failed; only failed."""
    ingest_id: UUID | None
    """The ingest that works, or worked last, on it."""
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the whole report, whatever the page."""

    bag_versions: int
    files: int
    bytes: int
    missing: int
    in_progress: int
    failed: int


_state: ColumnElement[str] = case(
    (replicas.c.state.is_(None), literal(MISSING)),
    (replicas.c.state == ReplicaState.FAILED.value, literal(FAILED)),
    else_=literal(IN_PROGRESS),
)
_ORDER = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)


def _lacking(*columns: Any, location_id: str) -> Select[Any]:
    registered = and_(bag_locations.c.bag_version_id == bag_versions.c.id, bag_locations.c.location_id == location_id)
    wanted = and_(replicas.c.bag_version_id == bag_versions.c.id, replicas.c.location_id == location_id)
    return (
        select(*columns)
        .select_from(bag_versions)
        .outerjoin(replicas, wanted)
        .where(~select(bag_locations.c.location_id).where(registered).exists())
    )


def unbackfilled(
    connection: Connection, *, location_id: str, after: BagVersion | None, limit: int
) -> list[Unbackfilled]:
    """A page of at most `limit`, by space, identifier and version, beginning behind `after`."""
    query = _lacking(
        *_ORDER,
        _state.label("state"),
        replicas.c.state.label("stage"),
        replicas.c.error_code,
        replicas.c.ingest_id,
        bag_versions.c.file_count,
        bag_versions.c.bytes,
        location_id=location_id,
    )
    if after is not None:
        last = (after.space.value, after.external_identifier.value, after.version.number)
        query = query.where(tuple_(*_ORDER) > tuple_(*(literal(value) for value in last)))
    return [_line(row) for row in connection.execute(query.order_by(*_ORDER).limit(limit))]


def _line(row: Any) -> Unbackfilled:
    return Unbackfilled(
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        state=row.state,
        stage=row.stage if row.state == IN_PROGRESS else None,
        code=row.error_code if row.state == FAILED else None,
        ingest_id=row.ingest_id,
        files=row.file_count,
        bytes=row.bytes,
    )


def totals(connection: Connection, *, location_id: str) -> Totals:
    counts = [func.count().filter(_state == state) for state in (MISSING, IN_PROGRESS, FAILED)]
    files, size = func.sum(bag_versions.c.file_count), func.sum(bag_versions.c.bytes)
    row = connection.execute(_lacking(func.count(), files, size, *counts, location_id=location_id)).one()
    return Totals(*(int(value or 0) for value in row))
