"""Letting work go wrong properly: back-off, giving up, dead letters."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from common.domain.ingest import IngestStatus
from common.domain.replica import CheckState, ImportState, ReplicaState, SegmentState
from common.ledger import context, events, news, windows
from common.ledger.claims import Claim, Patience, hold, interval, release
from common.ledger.context import Context
from common.ledger.fixity import scheduling
from common.ledger.tables import NOW, WORK, dead_letters, ingests, replicas, segments
from common.topology import Kind, Stage, hint_for

_FAILED: dict[Kind, str] = {"import": ImportState.FAILED.value, "check": CheckState.FAILED.value}
CHECK_FAILED = "check.failed"
OPEN_SEGMENTS = [state.value for state in SegmentState if not state.terminal]
OPEN_INGESTS = [status.value for status in IngestStatus if not status.terminal]


def try_again(connection: Connection, claim: Claim, *, why: str, patience: Patience, random: Random) -> bool:
    """After a transient error: back off, or give up where that was the last attempt. True: it will be tried again."""
    around = context.read(connection, kind=claim.kind, row_id=claim.row_id, lock=True)
    hold(connection, claim)
    if claim.attempt >= patience.attempts:
        give_up(connection, stage=claim.stage, row_id=claim.row_id, attempts=claim.attempt, why=why, around=around)
        return False
    pause = back_off(claim.attempt, patience=patience, random=random)
    later = func.clock_timestamp() + interval(pause)
    release(connection, claim, not_before=later, due_at=later, last_error=why, **windows.left(claim))
    if around:
        told = (
            f"{around.title(claim.stage)} retrying - {_segment(around)}attempt {claim.attempt} of {patience.attempts}"
        )
        events.add(connection, around.ingest_id, f"{told}: {why}")
    return True


def back_off(attempt: int, *, patience: Patience, random: Random) -> timedelta:
    """How long to wait after the attempt of this number: doubled each time, with full jitter above the half."""
    doubled: timedelta = patience.back_off * (1 << min(attempt - 1, 20))
    return min(doubled, patience.longest_back_off) * (0.5 + random.random() / 2)


def give_up(
    connection: Connection,
    *,
    stage: Stage,
    row_id: int,
    attempts: int,
    why: str,
    around: Context | None,
    code: str = "attempts_exhausted",
) -> None:
    """The row fails and a dead letter says why, in one transaction."""
    lane = around.lane if around else stage.lane
    connection.execute(
        insert(dead_letters).values(
            queue=stage.queue(lane),
            body=hint_for(stage, row_id).model_dump_json(),
            kind=stage.kind,
            row_id=row_id,
            ingest_id=around.ingest_id if around else None,
            code=code,
            reason=why,
            attempts=attempts,
        )
    )
    fail(
        connection,
        stage=stage,
        row_id=row_id,
        code=code,
        why=why,
        around=around,
        for_user=f"gave up after {attempts} attempts: {why}",
    )


def fail(
    connection: Connection,
    *,
    stage: Stage,
    row_id: int,
    code: str,
    why: str,
    for_user: str,
    around: Context | None,
) -> None:
    """The row, its replica and its ingest fail, finally; the replica's other segments are cancelled."""
    if around is None:
        _fail_alone(connection, stage.kind, row_id, code=code, why=why)
        return
    if stage.kind == "segment":
        end_segment(connection, row_id, code=code, why=why)
    close(connection, ingest_id=around.ingest_id, around=around, code=code, why=why)
    said = f"{around.title(stage)} failed - {_segment(around)}{for_user}"
    events.add(connection, around.ingest_id, said, detail={"code": code, "reason": why})


def close(connection: Connection, *, ingest_id: UUID, around: Context | None, code: str, why: str) -> None:
    """An ingest ends without a copy: its open segments are cancelled, its replica fails, and so does the ingest.

    Every fence grows, so that nobody who works on them commits anything. The caller has locked the replica's row,
    and says why in the history afterwards. `around`: None where no replica is the ingest's.
    """
    connection.execute(
        update(segments)
        .where(segments.c.ingest_id == ingest_id, segments.c.state.in_(OPEN_SEGMENTS))
        .values(state=SegmentState.CANCELLED.value, fence=segments.c.fence + 1, lease_until=None, claimed_by=None)
    )
    if around:
        _end(connection, "replica", around.replica_id, state=ReplicaState.FAILED.value, code=code, why=why)
    connection.execute(
        update(ingests)
        .where(ingests.c.id == ingest_id, ingests.c.status.in_(OPEN_INGESTS))
        .values(status=IngestStatus.FAILED.value, error_code=code, finished_at=NOW)
    )


def end_segment(connection: Connection, row_id: int, *, code: str, why: str) -> None:
    """The segment fails; what becomes of its replica is the caller's to say."""
    _end(connection, "segment", row_id, state=SegmentState.FAILED.value, code=code, why=why)


def _end(connection: Connection, kind: Kind, row_id: int, *, state: str, code: str, why: str) -> None:
    table = replicas if kind == "replica" else segments
    connection.execute(
        update(table)
        .where(table.c.id == row_id)
        .values(
            state=state, error_code=code, last_error=why, fence=table.c.fence + 1, lease_until=None, claimed_by=None
        )
    )


def _fail_alone(connection: Connection, kind: Kind, row_id: int, *, code: str, why: str) -> None:
    """A row that belongs to no ingest."""
    table = WORK[kind]
    ended = {"fence": table.c.fence + 1, "lease_until": None, "claimed_by": None, "finished_at": NOW}
    failed = {"state": _FAILED[kind], "error_code": code, "last_error": why}
    row = connection.execute(update(table).where(table.c.id == row_id).values(**ended, **failed).returning(table)).one()
    if kind == "check":
        scheduling.put_off(connection, row)
        news.announce(connection, type=CHECK_FAILED, subject=str(row_id), detail={"code": code, "why": why})


def _segment(around: Context) -> str:
    return f"segment {around.segment}: " if around.segment else ""


def dead_letter(connection: Connection, *, queue: str, body: bytes, code: str, reason: str) -> None:
    """Keep a message that no worker can act on; at most 4 KiB of it."""
    kept = body[:4096].decode("utf-8", errors="backslashreplace").replace("\x00", "\\x00")
    connection.execute(insert(dead_letters).values(queue=queue, body=kept, code=code, reason=reason))


def count_dead_letters(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(dead_letters)).scalar_one()
