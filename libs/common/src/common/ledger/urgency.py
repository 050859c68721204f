"""Which row a worker takes first: within a lane, the one of higher priority, and among equals the earlier deadline.

Brokers deliver in their own order. So a hint is taken as "there is work in this stage", and the worker that has it
looks whether a more urgent row waits there. If so it takes that one and posts the hint of the other anew, behind the
others. Where nothing is urgent this costs one look into an empty index.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, Select, and_, bindparam, func, literal, or_, select

from common.ledger.claims import Patience, interval
from common.ledger.tables import NOW, replicas, segments
from common.topology import Stage


def more_urgent(connection: Connection, *, stage: Stage, row_id: int, patience: Patience) -> int | None:
    """The most urgent row that waits in `stage`, if it is more urgent than `row_id` and of its lane."""
    if stage.kind in ("import", "check"):
        return None
    query = (_segment if stage.kind == "segment" else _replica)(stage, patience)
    found = connection.execute(query, {"hinted_row": row_id}).scalars().one_or_none()
    return None if found is None else int(found)


@cache
def _replica(stage: Stage, patience: Patience) -> Select[Any]:
    hinted = replicas.alias("hinted")
    soon = func.clock_timestamp() + interval(patience.hint_again)
    return (
        select(replicas.c.id)
        .join(hinted, hinted.c.id == bindparam("hinted_row"))
        .where(
            _before(hinted),
            replicas.c.state == stage.state.value,
            _free(replicas, patience),
            # Rows that wait for something are due much later than a hint that nobody took.
            replicas.c.due_at <= soon,
        )
        .order_by(replicas.c.priority.desc(), replicas.c.deadline.asc().nulls_last(), replicas.c.due_at)
        .limit(1)
    )


@cache
def _segment(stage: Stage, patience: Patience) -> Select[Any]:
    hinted, whose = segments.alias("hinted_segment"), replicas.alias("hinted")
    return (
        select(segments.c.id)
        .join(replicas, replicas.c.id == segments.c.replica_id)
        .join(hinted, hinted.c.id == bindparam("hinted_row"))
        .join(whose, whose.c.id == hinted.c.replica_id)
        .where(
            _before(whose),
            segments.c.ingest_id == replicas.c.ingest_id,
            segments.c.state == stage.state.value,
            segments.c.hinted,
            _free(segments, patience),
        )
        .order_by(replicas.c.priority.desc(), replicas.c.deadline.asc().nulls_last(), segments.c.due_at)
        .limit(1)
    )


def _before(hinted: Any) -> ColumnElement[bool]:
    """Whether a replica goes before the hinted one. The first condition is that of the index `ix_replicas_urgent`."""
    never = literal("infinity", DateTime(timezone=True))
    return and_(
        or_(replicas.c.priority > 0, replicas.c.deadline.is_not(None)),
        replicas.c.lane == hinted.c.lane,
        or_(
            replicas.c.priority > hinted.c.priority,
            and_(
                replicas.c.priority == hinted.c.priority,
                replicas.c.deadline < func.coalesce(hinted.c.deadline, never),
            ),
        ),
    )


def _free(table: Any, patience: Patience) -> ColumnElement[bool]:
    return and_(
        or_(table.c.lease_until.is_(None), table.c.lease_until < NOW),
        table.c.not_before <= NOW,
        table.c.attempts < patience.attempts,
    )
