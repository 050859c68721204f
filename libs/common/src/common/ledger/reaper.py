"""The reaper: one rule for every state that is not terminal, so that no row is ever forgotten.

It re-creates the hints of rows that are due (the broker may have lost them), fails rows whose workers vanished too
often, and moves on replicas that nobody moved. Any number may run; they take turns, and a lock lets one work at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select, text, update

from common.domain.replica import ReplicaState, SegmentState
from common.ledger import context, failing, outbox, spoiled, windows
from common.ledger.claims import Patience, interval, lost_workers
from common.ledger.settling import start_aggregating
from common.ledger.tables import NOW, WORK, replicas, segments
from common.topology import STAGES, Kind, Stage, State, hint_for
from common.wording import count, size

_LOCK = 0x6261636B66696C6C
"""Advisory lock: "backfill" in ASCII."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to rows of this kind and state when they are due and nobody holds them."""

    kind: Kind
    state: State
    stage: Stage | None
    """Hint this stage again; None: the state is left by what its segments do, and checked as a whole."""


RULES: tuple[Rule, ...] = (
    *(Rule(stage.kind, stage.state, stage) for stage in STAGES),
    Rule("replica", ReplicaState.TRANSFERRING, None),
)


def reap(connection: Connection, *, patience: Patience, at_most: int = 500) -> int:
    """Look once after every row that is due; returns how many there were. 0 also where another reaper is at work."""
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        return 0
    rules = [rule for rule, is_due in zip(RULES, connection.execute(_any_due(RULES)).one(), strict=True) if is_due]
    due = [(rule, row) for rule in rules for row in connection.execute(_due(rule, at_most)).all()]
    # First what locks replicas, then what locks single rows only: the other way round two transactions could
    # wait for each other.
    hinted = windows.fill_due(connection, patience=patience, at_most=at_most)
    hints = [(rule, row) for rule, row in due if not _settled(connection, rule, row, patience=patience)]
    # While nothing is published, hints are not lost but wait: more of them would only make the outbox longer.
    lost = hints and not outbox.stuck(connection, longer_than=patience.hint_again)
    for rule, row in hints:
        assert rule.stage is not None
        if lost:
            _hint(connection, rule.stage, row.id)
        _again_later(connection, rule.kind, row.id, patience=patience)
    return len(due) + hinted


def _settled(connection: Connection, rule: Rule, row: Any, *, patience: Patience) -> bool:
    """Deal with rows that no hint can help; False for those that want their hint again."""
    if rule.stage is None:
        _look_after_transfer(connection, row.id, patience=patience)
        return True
    if row.attempts >= patience.attempts or row.lost >= patience.vanished:
        _bury(connection, rule.stage, row)
        return True
    return False


@cache
def _any_due(rules: tuple[Rule, ...]) -> Select[*tuple[bool, ...]]:
    """For each rule, whether anything is due: of most looks all there is to see."""
    return select(*(exists().where(*_is_due(rule)).label(f"{rule.kind}_{rule.state}") for rule in rules))


def _is_due(rule: Rule) -> tuple[ColumnElement[bool], ...]:
    table = WORK[rule.kind]
    return (
        table.c.state == rule.state.value,
        table.c.due_at <= NOW,
        or_(table.c.lease_until.is_(None), table.c.lease_until < NOW),
        # Those that wait for room in their replica's window are hinted with it, not one by one.
        *((table.c.hinted,) if rule.kind == "segment" else ()),
    )


@cache
def _due(rule: Rule, at_most: int) -> Select[Any]:
    table = WORK[rule.kind]
    facts = (table.c.id, table.c.attempts, table.c.claimed_by, table.c.last_error, lost_workers(table).label("lost"))
    return select(*facts).where(*_is_due(rule)).order_by(table.c.due_at).limit(at_most)


def _hint(connection: Connection, stage: Stage, row_id: int) -> None:
    around = context.read(connection, kind=stage.kind, row_id=row_id, lock=False)
    outbox.post(connection, stage=stage, lane=around.lane if around else stage.lane, hint=hint_for(stage, row_id))


def _again_later(connection: Connection, kind: Kind, row_id: int, *, patience: Patience) -> None:
    table = WORK[kind]
    later = func.clock_timestamp() + interval(patience.hint_again)
    connection.execute(update(table).where(table.c.id == row_id).values(due_at=later))


def _bury(connection: Connection, stage: Stage, row: Any) -> None:
    """Worker after worker vanished, or the last attempt's: the row must not wait for ever."""
    around = context.read(connection, kind=stage.kind, row_id=row.id, lock=True)
    table = WORK[stage.kind]
    still = connection.execute(
        select(table.c.id)
        .where(table.c.id == row.id, table.c.state == stage.state.value, table.c.attempts == row.attempts)
        .where(or_(table.c.lease_until.is_(None), table.c.lease_until < NOW))
        .with_for_update()
    ).one_or_none()
    if still is None:
        return
    give_up = partial(failing.give_up, connection, stage=stage, row_id=row.id, attempts=row.attempts, around=around)
    why = _why_buried(connection, stage, row)
    if row.lost:
        give_up(why=why, code="worker_vanished")
    else:
        give_up(why=why)


def _why_buried(connection: Connection, stage: Stage, row: Any) -> str:
    """The largest file is named because it is what a worker with too little memory is likeliest to have died of."""
    told = [f"no attempt of {row.attempts} is left"]
    if row.lost:
        told = [f"{count(row.lost, 'worker')} vanished at {stage.name}", f"the last was {row.claimed_by}"]
    if stage.kind == "segment":
        files = connection.execute(select(segments.c.files).where(segments.c.id == row.id)).scalar_one()
        largest = max(files, key=lambda file: file["size"])
        told.append(f"the largest file is {largest['path']} ({size(largest['size'])})")
    if row.last_error:
        told.append(f"the last error was: {row.last_error}")
    return "; ".join(told)


def _look_after_transfer(connection: Connection, replica_id: int, *, patience: Patience) -> None:
    """Every segment has its own rule; the replica is moved on if all are verified and nobody did."""
    around = context.read(connection, kind="replica", row_id=replica_id, lock=True)
    assert around is not None
    if spoiled.conclude(connection, around):
        _again_later(connection, "replica", replica_id, patience=patience)
        return
    unfinished = connection.execute(
        select(func.count())
        .select_from(segments)
        .where(segments.c.ingest_id == around.ingest_id, segments.c.state != SegmentState.VERIFIED.value)
    ).scalar_one()
    state = connection.execute(select(replicas.c.state).where(replicas.c.id == replica_id)).scalar_one()
    if unfinished == 0 and state == ReplicaState.TRANSFERRING.value:
        start_aggregating(connection, around, patience=patience)
    else:
        _again_later(connection, "replica", replica_id, patience=patience)
