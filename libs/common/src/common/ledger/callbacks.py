"""Calls back: who waits for one, who sends it now, and what came of every attempt.

A row exists from the request on and becomes due in the transaction that finishes its ingest (trigger `ingests_tell`),
so nothing is reported that was not committed, and nothing that was committed goes unreported. It is claimed like all
work: a lease, a growing fence, the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.ledger import events
from common.ledger.asking_tables import callback_attempts, callbacks
from common.ledger.claims import interval
from common.ledger.columns import NOW
from common.ledger.tables import ingests

_HOST = func.lower(func.substring(callbacks.c.url, "^[^:]+://([^/?#]*)", type_=Text))
_HELD = and_(callbacks.c.state == "pending", callbacks.c.lease_until > NOW)


@dataclass(frozen=True, slots=True)
class Owed:
    """A callback that this worker holds: to be sent now."""

    id: int
    message_id: UUID
    ingest_id: UUID
    url: str
    round: int
    attempt: int
    """1 for the first of this round."""
    fence: int
    worker: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST, and what came of it."""

    started_at: datetime
    milliseconds: int
    status: int | None
    """None where nobody answered, or nobody was asked."""
    error: str | None = None
    code: str | None = None
    """Of the error, a heading of docs/reference/errors.md; None for one of an earlier release."""
    answer: str = ""
    """The beginning of the answer's body."""
    round: int = 1
    number: int = 1


@dataclass(frozen=True, slots=True)
class CallbackRecord:
    """A callback with its log."""

    id: int
    message_id: UUID
    url: str
    state: str
    """waiting (for the ingest), pending, succeeded or failed."""
    due_at: datetime | None
    last_error: str | None
    attempts: tuple[Attempt, ...]
    """Oldest first."""


def owe(connection: Connection, *, ingest_id: UUID, url: str) -> None:
    """Call `url` too when the ingest has finished; at once where it has. Asked twice: once."""
    first = connection.execute(
        update(ingests)
        .where(ingests.c.id == ingest_id, ingests.c.callback_url.is_(None))
        .values(callback_url=url, callback_status="pending")
        .returning(ingests.c.id)
    ).one_or_none()
    if first is not None:  # the trigger `ingests_owe_callbacks` has written the row
        return
    # Locked, so that the ingest finishes before this or after it, and in neither case unnoticed.
    finished = connection.execute(
        select(ingests.c.finished_at).where(ingests.c.id == ingest_id).with_for_update(read=True)
    ).scalar_one()
    state, due = ("waiting", None) if finished is None else ("pending", NOW)
    connection.execute(
        upsert(callbacks)
        .values(ingest_id=ingest_id, url=url, state=state, due_at=due)
        .on_conflict_do_nothing(index_elements=["ingest_id", "url"])
    )


def take_due(
    connection: Connection, *, worker: str, lease: timedelta, at_most: int, each_host: int = 1_000_000
) -> list[Owed]:
    """Claim callbacks that are due, the longest due first; of one host no more than `each_host` are held at once."""
    taken: list[Owed] = []
    # One by one, so that each sees which hosts those before it have kept busy.
    while len(taken) < at_most and (one := _take(connection, worker=worker, lease=lease, each_host=each_host)):
        taken.append(one)
    return taken


def _take(connection: Connection, *, worker: str, lease: timedelta, each_host: int) -> Owed | None:
    busy = select(_HOST).where(_HELD).group_by(_HOST).having(func.count() >= each_host)
    free = or_(callbacks.c.lease_until.is_(None), callbacks.c.lease_until < NOW)
    due = (
        select(callbacks.c.id)
        .where(callbacks.c.state == "pending", callbacks.c.due_at <= NOW, free, _HOST.not_in(busy))
        .order_by(callbacks.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    row = connection.execute(
        update(callbacks)
        .where(callbacks.c.id == due.c.id)
        .values(
            fence=callbacks.c.fence + 1,
            attempts=callbacks.c.attempts + 1,
            lease_until=func.clock_timestamp() + interval(lease),
            claimed_by=worker,
        )
        .returning(callbacks)
    ).one_or_none()
    return None if row is None else _owed(row, worker)


def _owed(row: Any, worker: str) -> Owed:
    return Owed(
        id=row.id,
        message_id=row.message_id,
        ingest_id=row.ingest_id,
        url=row.url,
        round=row.round,
        attempt=row.attempts,
        fence=row.fence,
        worker=worker,
    )


def settle(
    connection: Connection,
    owed: Owed,
    attempt: Attempt,
    *,
    state: str,
    again_in: timedelta | None,
    told: str | None,
    once: str | None = None,
) -> bool:
    """Log the attempt and let go of the callback; False, with the attempt logged, where the claim is somebody else's.

    `state`: "succeeded", "failed", or "pending" to be sent again in `again_in`. `told`: for the ingest's history.
    """
    _log(connection, owed, attempt)
    ended = state != "pending"
    ours = connection.execute(
        update(callbacks)
        .where(callbacks.c.id == owed.id, callbacks.c.fence == owed.fence, callbacks.c.state == "pending")
        .values(
            state=state,
            lease_until=None,
            claimed_by=None,
            due_at=None if ended else func.clock_timestamp() + interval(again_in or timedelta(0)),
            ended_at=NOW if ended else None,
            last_error=attempt.error,
        )
        .returning(callbacks.c.id)
    ).one_or_none()
    if ours is None:
        return False
    if ended:
        _show(connection, owed.ingest_id, owed.url, state)
    if told is not None:
        events.add(connection, owed.ingest_id, told, once=once)
    return True


def _log(connection: Connection, owed: Owed, attempt: Attempt) -> None:
    connection.execute(
        insert(callback_attempts).values(
            callback_id=owed.id,
            round=owed.round,
            number=owed.attempt,
            started_at=attempt.started_at,
            milliseconds=attempt.milliseconds,
            status=attempt.status,
            error=attempt.error,
            code=attempt.code,
            answer=attempt.answer,
            worker=owed.worker,
        )
    )


def _show(connection: Connection, ingest_id: UUID, url: str, state: str) -> None:
    """On the ingest itself, whose document shows the first address that was given."""
    connection.execute(
        update(ingests).where(ingests.c.id == ingest_id, ingests.c.callback_url == url).values(callback_status=state)
    )


def replay(connection: Connection, *, ingest_id: UUID) -> int:
    """Send every ended callback of the ingest again, from the schedule's beginning; how many there were.

    Their message ids stay, so that a receiver can tell that it has seen them.
    """
    again = connection.execute(
        update(callbacks)
        .where(callbacks.c.ingest_id == ingest_id, callbacks.c.state.in_(["succeeded", "failed"]))
        .values(state="pending", due_at=NOW, attempts=0, round=callbacks.c.round + 1, ended_at=None, last_error=None)
        .returning(callbacks.c.url)
    ).scalars()
    urls = list(again)
    for url in urls:
        _show(connection, ingest_id, url, "pending")
    return len(urls)


def find_callbacks(connection: Connection, ingest_id: UUID) -> list[CallbackRecord]:
    """The callbacks of an ingest with every attempt, by date of request."""
    rows = connection.execute(
        select(callbacks).where(callbacks.c.ingest_id == ingest_id).order_by(callbacks.c.id)
    ).all()
    return [
        CallbackRecord(
            id=row.id,
            message_id=row.message_id,
            url=row.url,
            state=row.state,
            due_at=row.due_at,
            last_error=row.last_error,
            attempts=_attempts(connection, row.id),
        )
        for row in rows
    ]


def _attempts(connection: Connection, callback_id: int) -> tuple[Attempt, ...]:
    rows = connection.execute(
        select(callback_attempts).where(callback_attempts.c.callback_id == callback_id).order_by(callback_attempts.c.id)
    )
    return tuple(
        Attempt(
            started_at=row.started_at,
            milliseconds=row.milliseconds,
            status=row.status,
            error=row.error,
            code=row.code,
            answer=row.answer,
            round=row.round,
            number=row.number,
        )
        for row in rows
    )
