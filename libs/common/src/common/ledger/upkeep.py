"""Turns at what needs doing once in a while and by one process: however many there are, one of them does it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Executable, Interval, bindparam, func, or_
from sqlalchemy.dialects.postgresql import insert

from common.ledger.tables import NOW
from common.ledger.upkeep_tables import upkeep_turns


def take_turn(connection: Connection, *, task: str, every: timedelta) -> bool:
    """Whether it is the caller's turn: nobody has taken one for `every`. For a connection without a transaction.

    Whoever takes a turn and dies keeps nobody from the next one.
    """
    return connection.execute(_TAKE, {"task": task, "every": every}).first() is not None


def _taking() -> Executable:
    taken = insert(upkeep_turns).values(task=bindparam("task"), taken_at=NOW)
    before = func.clock_timestamp() - bindparam("every", type_=Interval())
    # A turn in the future is that of a clock that was put back.
    due = or_(upkeep_turns.c.taken_at <= before, upkeep_turns.c.taken_at > func.clock_timestamp())
    taken = taken.on_conflict_do_update(index_elements=["task"], set_={"taken_at": NOW}, where=due)
    return taken.returning(upkeep_turns.c.task)


_TAKE = _taking()
