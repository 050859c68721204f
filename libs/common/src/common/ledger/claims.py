"""Claims: at most one worker holds a row, for as long as its lease lasts, and its fence proves it.

A claim is one UPDATE on the primary. The fence grows with every claim and never shrinks, so a worker that was
paused for longer than its lease finds its fence out of date at its next commit, and commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Interval,
    Select,
    Table,
    Update,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.errors import ClaimLost
from common.ledger.tables import NOW, WORK
from common.topology import Kind, Stage

VANISHED = "vanished"
"""In a row's progress: how many workers vanished with it in its state."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Proof that this worker holds the row."""

    stage: Stage
    row_id: int
    fence: int
    attempt: int
    """1 for the first try in this state."""
    worker: str
    vanished: str | None = None
    """The worker that held the row before and let its lease run out, if one did."""

    @property
    def kind(self) -> Kind:
        return self.stage.kind

    @property
    def table(self) -> Table:
        return WORK[self.kind]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take and how often they are tried."""

    lease: timedelta = timedelta(seconds=60)
    """A worker that has not renewed for this long is taken for dead."""
    attempts: int = 5
    """Tries of one row in one state before it fails and goes to the dead letters."""
    vanished: int = 3
    """Workers that may vanish with one row before it fails: what kills three will kill every one."""
    back_off: timedelta = timedelta(seconds=5)
    """Before the second try; doubled for each further one, with jitter."""
    longest_back_off: timedelta = timedelta(minutes=15)
    hint_again: timedelta = timedelta(seconds=60)
    """When a hint that nobody acted on is repeated."""
    hints: int = 4
    """Hints of one replica that may wait in a queue at once (see `common.ledger.windows`)."""


def interval(duration: timedelta) -> Any:
    return literal(duration, Interval())


def lost_workers(table: Table) -> Any:
    """How many workers have vanished with a row in its state, the one whose lease has just run out included."""
    noted = func.coalesce(table.c.progress[VANISHED].as_integer(), 0)
    return noted + case((table.c.lease_until < NOW, 1), else_=0)


def take(
    connection: Connection, *, stage: Stage, row_id: int, worker: str, patience: Patience, waits: bool = False
) -> Claim | None:
    """Claim the row for `worker`; None where there is nothing to claim (gone on, held, or too early).

    A row that somebody has locked is nothing to claim either; where the caller `waits`, that is known when it is free.
    Raises LedgerUnavailable where that takes longer than a second.
    """
    given = {"claimed_row": row_id, "claimed_for": worker}
    taken = connection.execute(_taking(stage, patience), given).one_or_none()
    if taken is None and waits and connection.execute(_looking(stage, patience), given).first():
        connection.execute(_NO_LONGER)
        taken = connection.execute(_taking(stage, patience, skip_locked=False), given).one_or_none()
    if taken is None:
        return None
    return Claim(stage, row_id, taken.fence, taken.attempts, worker, taken.last if taken.lease else None)


_NO_LONGER = text("SET LOCAL lock_timeout = '1s'")


@cache
def _looking(stage: Stage, patience: Patience) -> Select[Any]:
    """The row, if it may be claimed now."""
    table = WORK[stage.kind]
    free = or_(table.c.lease_until.is_(None), table.c.lease_until < NOW)
    return select(table.c.id, table.c.claimed_by, table.c.lease_until).where(
        table.c.id == bindparam("claimed_row"),
        table.c.state == stage.state.value,
        free,
        table.c.not_before <= NOW,
        table.c.attempts < patience.attempts,
        lost_workers(table) < patience.vanished,
    )


@cache
def _taking(stage: Stage, patience: Patience, *, skip_locked: bool = True) -> Update:
    table = WORK[stage.kind]
    held = _looking(stage, patience).with_for_update(skip_locked=skip_locked).cte("held")
    return (
        update(table)
        .where(table.c.id == held.c.id)
        .values(
            fence=table.c.fence + 1,
            lease_until=func.clock_timestamp() + interval(patience.lease),
            claimed_by=bindparam("claimed_for"),
            attempts=table.c.attempts + 1,
            progress=case(
                (held.c.lease_until.is_(None), table.c.progress),
                else_=table.c.progress.op("||")(func.jsonb_build_object(VANISHED, lost_workers(table))),
            ),
        )
        .returning(table.c.fence, table.c.attempts, held.c.claimed_by.label("last"), held.c.lease_until.label("lease"))
    )


def renew(connection: Connection, claim: Claim, *, lease: timedelta) -> bool:
    """Prolong the lease. False: somebody else holds the row now, or it has gone on without us."""
    table = claim.table
    result = connection.execute(
        update(table)
        .where(table.c.id == claim.row_id, table.c.fence == claim.fence, table.c.state == claim.stage.state.value)
        # A renewal may have waited for the transaction that let go of the row: that lease must stay ended.
        .where(table.c.lease_until.is_not(None))
        .values(lease_until=func.clock_timestamp() + interval(lease))
    )
    return result.rowcount == 1


def hold(connection: Connection, claim: Claim) -> None:
    """Lock the row for the rest of the transaction, having made sure that it is still ours. Raises ClaimLost."""
    mine = {"held_row": claim.row_id, "held_fence": claim.fence, "held_state": claim.stage.state.value}
    if connection.execute(_holding(claim.kind), mine).one_or_none() is None:
        raise ClaimLost(f"{claim.kind} {claim.row_id}: fence {claim.fence} of {claim.worker} is out of date")


@cache
def _holding(kind: Kind) -> Select[tuple[int]]:
    table = WORK[kind]
    ours = (table.c.id == bindparam("held_row"), table.c.fence == bindparam("held_fence"))
    return select(table.c.id).where(*ours, table.c.state == bindparam("held_state")).with_for_update()


def remember(connection: Connection, claim: Claim, progress: Mapping[str, Any]) -> None:
    """Merge notes for the next attempt into the row, fenced. Raises ClaimLost."""
    table = claim.table
    merged = table.c.progress.op("||")(bindparam("notes", dict(progress), type_=JSONB))
    result = connection.execute(
        update(table)
        .where(table.c.id == claim.row_id, table.c.fence == claim.fence, table.c.state == claim.stage.state.value)
        .values(progress=merged)
    )
    if result.rowcount != 1:
        raise ClaimLost(f"{claim.kind} {claim.row_id}: fence {claim.fence} of {claim.worker} is out of date")


def afresh(claim: Claim) -> dict[str, Any]:
    """For `release`, of a row that is well: what went wrong with it so far does not count any more."""
    return {"attempts": 0, "progress": claim.table.c.progress.op("-")(VANISHED)}


def release(connection: Connection, claim: Claim, **values: Any) -> None:
    """Let go of a row that :func:`hold` holds, setting `values`."""
    table = claim.table
    connection.execute(
        update(table).where(table.c.id == claim.row_id).values(lease_until=None, claimed_by=None, **values)
    )
