"""Stalls: rows that are in their state for longer than the stage's limit. Each is marked, told once and shown.

A row says when to look at it (`stalls_at`), so that a look finds the few that are over time by an index. Most of those
are fine: a provider promised to take longer, or others are ahead in the queue; they are looked at again later. A row
that leaves its state has stalled no more: a trigger sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Row,
    Select,
    Update,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from common.domain.replica import ReplicaState, SegmentState
from common.ledger import context, events
from common.ledger.claims import interval
from common.ledger.tables import NOW, WORK
from common.topology import STAGES, Kind, Stage, stage_of_row

_PROMISES = 3
"""A provider that takes longer than so many times what it promised has stalled."""
_LOOK_AGAIN = timedelta(days=1)
"""At the latest. What is held back for now has no time of its own."""
_OF_INGESTS: tuple[Kind, ...] = ("replica", "segment")
_LOCK = 0x7374616C6C73
"""Advisory lock: "stalls" in ASCII."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """A row that does not get on."""

    stage: Stage
    row_id: int
    since: datetime
    """When it came into the state that it does not leave."""
    reason: str
    last_error: str | None


def mark(connection: Connection, *, at_most: int = 500) -> list[Stalled]:
    """Mark the rows that have stalled since the last look, and tell their ingests; empty where another looks now."""
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return []
    due = connection.execute(_due()).one()
    stages = [stage for stage, is_due in zip(STAGES, due, strict=True) if is_due]
    found = [(stage, row) for stage in stages for row in _mark(connection, stage, at_most=at_most)]
    _tell(connection, found)
    return [_stalled(stage, row) for stage, row in found]


def of_ingest(connection: Connection, ingest_id: UUID) -> Stalled | None:
    """The part of the ingest that has stood still for longest; None while all goes on."""
    parts = union_all(*(select(*_facts(kind)).where(*_marked(kind, ingest_id)) for kind in _OF_INGESTS))
    row = connection.execute(parts.order_by("entered_at").limit(1)).one_or_none()
    if row is None:
        return None
    state = (ReplicaState if row.kind == "replica" else SegmentState)(row.state)
    stage = stage_of_row(row.kind, state)
    assert stage is not None, "only rows that wait for a stage are marked"
    return _stalled(stage, row)


def any_of(ingest_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether any part of the ingest has stalled."""
    return or_(*(exists().where(*_marked(kind, ingest_id)) for kind in _OF_INGESTS))


def _facts(kind: Kind) -> list[ColumnElement[Any]]:
    table = WORK[kind]
    return [
        literal(kind).label("kind"),
        table.c.id,
        table.c.state,
        table.c.entered_at,
        table.c.last_error,
        case((table.c.lease_until > NOW, table.c.claimed_by)).label("worker"),
        (table.c.fence > table.c.entered_fence).label("touched"),
    ]


def _marked(kind: Kind, ingest_id: UUID | ColumnElement[UUID]) -> tuple[ColumnElement[bool], ...]:
    table = WORK[kind]
    return table.c.ingest_id == ingest_id, table.c.stalled_at.is_not(None)


def _mark(connection: Connection, stage: Stage, *, at_most: int) -> list[Row[Any]]:
    """Look at the rows of a stage whose time has come: those that have stalled, by id. One statement."""
    # An update gives its rows back in any order; an ingest is told of the first that has stalled.
    looked = sorted(connection.execute(_marking(stage, at_most)), key=lambda row: int(row.id))
    return [row for row in looked if row.stalled_at is not None]


@cache
def _due() -> Select[*tuple[bool, ...]]:
    """For each stage, whether the time of any of its rows has come: of most looks all there is to see."""
    return select(*(exists().where(*_time_has_come(stage)).label(stage.name) for stage in STAGES))


def _time_has_come(stage: Stage) -> tuple[ColumnElement[bool], ...]:
    table = WORK[stage.kind]
    return table.c.state == stage.state.value, table.c.stalled_at.is_(None), table.c.stalls_at <= NOW


@cache
def _marking(stage: Stage, at_most: int) -> Update:
    table = WORK[stage.kind]
    due = (
        select(table.c.id, _deadline(stage).label("deadline"), (table.c.fence > table.c.entered_fence).label("touched"))
        .where(*_time_has_come(stage))
        .order_by(table.c.stalls_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    over = (due.c.deadline <= NOW) & or_(due.c.touched, _idle(stage))
    later = func.least(
        func.greatest(due.c.deadline, func.clock_timestamp() + interval(timedelta(hours=1))),
        func.clock_timestamp() + interval(_LOOK_AGAIN),
    )
    looked = {
        "stalled_at": case((over, func.clock_timestamp())),
        "stalls_at": case((over, table.c.stalls_at), else_=later),
    }
    mine = update(table).where(table.c.id == due.c.id).values(looked)
    return mine.returning(*_facts(stage.kind), table.c.stalled_at)


def _deadline(stage: Stage) -> ColumnElement[Any]:
    """When the row has been in its state for too long. One that nobody has taken yet counts from when it may be."""
    table = WORK[stage.kind]
    begun = case(
        (table.c.fence > table.c.entered_fence, table.c.entered_at),
        else_=func.greatest(table.c.entered_at, table.c.not_before),
    )
    promised = cast(table.c.progress["promised"][stage.name].astext, Float) * _PROMISES
    seconds: ColumnElement[Any] = func.greatest(stage.limit.total_seconds(), promised)
    if stage.kind == "segment":
        seconds = seconds + cast(table.c.bytes, Float) / (1 << 30) * stage.per_gib.total_seconds()
    return begun + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _idle(stage: Stage) -> ColumnElement[bool]:
    """Nobody works on any row of the stage. Otherwise a row that nobody has taken is behind others in a queue."""
    rows = WORK[stage.kind].alias("others")
    return ~exists().where(rows.c.state == stage.state.value, rows.c.lease_until > NOW)


def _stalled(stage: Stage, row: Row[Any]) -> Stalled:
    return Stalled(stage, row.id, row.entered_at, _reason(stage, row), row.last_error)


def _reason(stage: Stage, row: Row[Any]) -> str:
    if not row.touched:
        return f"no worker has taken it, and none works on anything like it: does {stage.service} run?"
    if row.worker:
        return f"{row.worker} works on it for longer than it should take"
    if row.last_error:
        return "it is tried again and again"
    return "it waits for longer than it should"


def _tell(connection: Connection, found: Sequence[tuple[Stage, Row[Any]]]) -> None:
    """Once for each stage of an ingest, whatever number of its segments stall."""
    read = [(context.read(connection, kind=stage.kind, row_id=row.id, lock=False), stage, row) for stage, row in found]
    of_ingests = [(around, stage, row) for around, stage, row in read if around is not None]
    for around, stage, row in sorted(of_ingests, key=lambda one: one[0].ingest_id):
        which = f"segment {around.segment}: " if around.segment else ""
        error = f" - {row.last_error}" if row.last_error else ""
        said = f"{around.title(stage)} stalled - {which}{_reason(stage, row)}{error}"
        detail = {"stage": stage.name, "since": row.entered_at.isoformat()}
        events.add(connection, around.ingest_id, said, once=f"{stage.name}:stalled", detail=detail)
