"""Windows: of one replica only a few segments are hinted at a time in each stage, so that no bag fills a queue.

A bag of a million files has thousands of segments. Were all of them hinted at once, every bag after it would wait for
all of them. So a segment that may be worked on is hinted only while fewer than `Patience.hints` hints of its replica
wait for a worker; a worker that takes one makes room for the next. How many segments of a replica are worked on at the
same time has no bound but the number of workers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Update,
    bindparam,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from common.domain.replica import SegmentState
from common.ledger import context
from common.ledger.claims import Claim, Patience, interval
from common.ledger.context import Context
from common.ledger.tables import NOW, outbox, segments
from common.messages import encode
from common.topology import Stage, hint_for, stage_of_row

WORKED_ON = tuple(state.value for state in SegmentState if not state.terminal)
_UNHELD = or_(segments.c.lease_until.is_(None), segments.c.lease_until < NOW)


def fill(connection: Connection, *, stage: Stage, around: Context, patience: Patience) -> int:
    """Hint the replica's segments that are due in `stage`, the longest due first, as far as its window has room.

    The caller has locked the replica's row (:func:`common.ledger.context.read`). Returns how many were hinted.
    """
    hinted = connection.execute(_hinting(stage, patience), {"whose": around.replica_id}).scalars()
    queue = stage.queue(around.lane)
    rows = [{"queue": queue, "body": encode(hint_for(stage, row_id)).decode()} for row_id in sorted(hinted)]
    if rows:
        connection.execute(insert(outbox), rows)
    return len(rows)


@cache
def _hinting(stage: Stage, patience: Patience) -> Update:
    chosen = _chosen(stage, patience).cte("chosen")
    soon = func.clock_timestamp() + interval(patience.hint_again)
    mine = update(segments).where(segments.c.id == chosen.c.id).values(hinted=True, due_at=soon)
    return mine.returning(segments.c.id)


def _chosen(stage: Stage, patience: Patience) -> Select[Any]:
    here = (segments.c.replica_id == bindparam("whose"), segments.c.state == stage.state.value)
    waiting = select(func.count()).where(*here, segments.c.hinted, _UNHELD).scalar_subquery()
    return (
        select(segments.c.id)
        .where(*here, ~segments.c.hinted, segments.c.due_at <= NOW, _UNHELD)
        .order_by(segments.c.due_at, segments.c.number)
        .limit(func.greatest(literal(patience.hints) - waiting, 0))
        .with_for_update(skip_locked=True)
    )


def waits_beside(row: Table) -> ColumnElement[bool]:
    """Whether another segment of the replica of `row`, in its state, is due and waits for room in the window."""
    other = segments.alias("other_segment")
    # Written out, so that the index of these is known to hold what is looked for.
    worked_on = other.c.state.in_([literal_column(f"'{state}'") for state in WORKED_ON])
    same = (other.c.replica_id == row.c.replica_id, other.c.state == row.c.state, worked_on, other.c.id != row.c.id)
    return exists().where(*same, ~other.c.hinted, other.c.due_at <= NOW)


def left(claim: Claim) -> dict[str, Any]:
    """What to set where a row is let go of that shall not be worked on at once: it takes no place in a window."""
    return {"hinted": False} if claim.kind == "segment" else {}


def refill(connection: Connection, claim: Claim, *, patience: Patience) -> int:
    """After a segment was claimed, in a transaction of its own: its place in the window is the next one's."""
    around = context.read(connection, kind=claim.kind, row_id=claim.row_id, lock=True)
    assert around is not None
    return fill(connection, stage=claim.stage, around=around, patience=patience)


def fill_due(connection: Connection, *, patience: Patience, at_most: int) -> int:
    """The reaper's part: fill every window that has room and something to fill it with. Returns how many were hinted.

    Segments become due by themselves, when a thaw shall be looked at again or a pause after an error is over.
    """
    hinted = 0
    for row in connection.execute(_with_room(patience, at_most)).all():
        stage = stage_of_row("segment", SegmentState(row.state))
        around = context.read(connection, kind="replica", row_id=row.replica_id, lock=True)
        assert stage is not None
        assert around is not None
        hinted += fill(connection, stage=stage, around=around, patience=patience)
    return hinted


@cache
def _with_room(patience: Patience, at_most: int) -> Select[Any]:
    """Replicas and states with segments to hint and fewer hints waiting than may be."""
    wanting = (
        select(segments.c.replica_id, segments.c.state, func.min(segments.c.due_at).label("since"))
        .where(segments.c.state.in_(WORKED_ON), ~segments.c.hinted, segments.c.due_at <= NOW, _UNHELD)
        .group_by(segments.c.replica_id, segments.c.state)
        .cte("wanting")
    )
    same: tuple[ColumnElement[bool], ...] = (
        segments.c.replica_id == wanting.c.replica_id,
        segments.c.state == wanting.c.state,
    )
    waiting = select(func.count()).where(*same, segments.c.hinted, _UNHELD).scalar_subquery()
    return (
        select(wanting.c.replica_id, wanting.c.state)
        .where(waiting < patience.hints)
        .order_by(wanting.c.since, wanting.c.replica_id)
        .limit(at_most)
    )
