"""Waking what waits for objects, when their store tells by itself that they can be read.

Events only wake: what is true is asked of the store, so that a lost, doubled, late or foreign one does no harm.
Whoever waits is written down in the transaction that lets go of its row. An event that came while the row was still
held is found there: every event is kept for some days, whether somebody waits for its object or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from common.domain.restore import Happened, RestoreEvent
from common.ledger import context, outbox, windows
from common.ledger.campaigns.tables import HELD
from common.ledger.claims import Claim, Patience, interval
from common.ledger.tables import NOW, WORK
from common.ledger.thaw_tables import restore_events, restore_waits
from common.outcome import Awaited
from common.topology import PLANNING, TAG_THAWING, THAWING, Kind, hint_for

OVERLAP = timedelta(seconds=2)
"""Events so much older than a look are held to be younger: they may have been committed after it began."""
_STAGES = {"replica": PLANNING, "segment": THAWING, "import": TAG_THAWING}


def hear(connection: Connection, events: Collection[RestoreEvent]) -> list[tuple[Kind, int]]:
    """Keep what was told; returns the rows that wait for nothing any more, to be given to :func:`wake`.

    Locks waits only, and no row of work: `wake` is for another transaction. Both may be done again.
    """
    if not events:
        return []
    connection.execute(insert(restore_events), [_values(event) for event in events])
    _lock(connection, {(event.bucket, event.key) for event in events})
    touched: set[tuple[Kind, int]] = set()
    for event in events:
        touched |= _told(connection, event)
    return sorted(one for one in touched if not _waits(connection, *one))


def wake(connection: Connection, *, kind: Kind, row_id: int, patience: Patience) -> bool:
    """Have the row looked at now; False where it is held, has gone on, or is gone."""
    if connection.execute(select(WORK[kind].c.id).where(WORK[kind].c.id == row_id)).first() is None:
        return False
    stage, table = _STAGES[kind], WORK[kind]
    around = context.read(connection, kind=kind, row_id=row_id, lock=True)
    woken = connection.execute(
        update(table)
        .where(
            table.c.id == row_id,
            table.c.state == stage.state.value,
            or_(table.c.lease_until.is_(None), table.c.lease_until < NOW),
            table.c.not_before < HELD,
        )
        .values(due_at=NOW, **({"hinted": False} if kind == "segment" else {}))
    ).rowcount
    if woken and kind == "segment":
        assert around is not None, "a segment has its replica"
        windows.fill(connection, stage=stage, around=around, patience=patience)
    elif woken:
        outbox.post(connection, stage=stage, lane=around.lane if around else stage.lane, hint=hint_for(stage, row_id))
    return bool(woken)


def await_objects(connection: Connection, claim: Claim, awaited: Awaited) -> bool:
    """Write down what the row waits for. True: the store has told of all of it since the look began; look again."""
    leave(connection, claim)
    keys = func.unnest(literal(sorted(awaited.keys), ARRAY(Text))).table_valued("key", name="awaited").render_derived()
    told = (
        select(func.max(restore_events.c.received_at))
        .where(
            restore_events.c.bucket == awaited.bucket,
            restore_events.c.key == keys.c.key.collate("C"),
            restore_events.c.what == Happened.COMPLETED.value,
            restore_events.c.received_at > func.clock_timestamp() - interval(awaited.looked_ago + OVERLAP),
        )
        .scalar_subquery()
    )
    facts = select(literal(claim.kind), literal(claim.row_id), literal(awaited.bucket), keys.c.key, told)
    connection.execute(
        insert(restore_waits).from_select(["kind", "row_id", "bucket", "key", "told_at"], facts.select_from(keys))
    )
    return not _waits(connection, claim.kind, claim.row_id)


def leave(connection: Connection, claim: Claim) -> None:
    """The row waits for nothing any more. It is ours."""
    mine = and_(restore_waits.c.kind == claim.kind, restore_waits.c.row_id == claim.row_id)
    # In the order in which events lock them.
    if connection.execute(_LOCKED, {"kind": claim.kind, "row_id": claim.row_id}).first():
        connection.execute(delete(restore_waits).where(mine))


def sweep(connection: Connection, *, keep: timedelta) -> int:
    """Forget events older than `keep`, and waits of rows that went another way; returns how many were forgotten."""
    old = func.clock_timestamp() - interval(keep)
    gone = connection.execute(delete(restore_events).where(restore_events.c.received_at < old)).rowcount
    for kind, stage in _STAGES.items():
        table, state = WORK[kind], stage.state
        still = exists().where(table.c.id == restore_waits.c.row_id, table.c.state == state.value)
        lost = delete(restore_waits).where(restore_waits.c.kind == kind, restore_waits.c.since < old, ~still)
        gone += connection.execute(lost).rowcount
    return gone


_ORDER = (restore_waits.c.kind, restore_waits.c.row_id, restore_waits.c.bucket, restore_waits.c.key)
_LOCKED = (
    select(restore_waits.c.key)
    .where(restore_waits.c.kind == bindparam("kind"), restore_waits.c.row_id == bindparam("row_id"))
    .order_by(*_ORDER)
    .with_for_update()
)


def _values(event: RestoreEvent) -> dict[str, Any]:
    told = {"what": event.what.value, "bucket": event.bucket, "key": event.key}
    return told | {"at": event.at, "expires_at": event.expires_at}


def _lock(connection: Connection, objects: Iterable[tuple[str, str]]) -> None:
    named = tuple_(restore_waits.c.bucket, restore_waits.c.key).in_(sorted(objects))
    connection.execute(select(restore_waits.c.key).where(named).order_by(*_ORDER).with_for_update())


def _told(connection: Connection, event: RestoreEvent) -> set[tuple[Kind, int]]:
    """Every row that waits for the object, however many do."""
    if event.what not in (Happened.COMPLETED, Happened.EXPIRED):
        return set()
    completed = event.what is Happened.COMPLETED
    rows: list[Row[Any]] = list(
        connection.execute(
            update(restore_waits)
            .where(restore_waits.c.bucket == event.bucket, restore_waits.c.key == event.key)
            .values(told_at=NOW if completed else None)
            .returning(restore_waits.c.kind, restore_waits.c.row_id)
        )
    )
    return {(row.kind, row.row_id) for row in rows} if completed else set()


def _waits(connection: Connection, kind: str, row_id: int) -> bool:
    """Whether the store has not told of some object that the row waits for."""
    return bool(
        connection.execute(
            select(literal(1))
            .where(restore_waits.c.kind == kind, restore_waits.c.row_id == row_id, restore_waits.c.told_at.is_(None))
            .limit(1)
        ).first()
    )
