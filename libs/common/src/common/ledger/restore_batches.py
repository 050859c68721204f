"""Restores that are gathered and asked for as one batch.

A segment's request is gathered until enough objects wait for the same, or until it has waited long enough: then it is
asked for by itself. A batch is a row before it is anything else: it is sent with the row's own token, so that sending
it again makes no second one, and looked at when it is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.replica import SegmentState
from common.ledger.claims import interval
from common.ledger.tables import NOW, replicas, segments
from common.ledger.thaw_tables import batch_requests, batches

_LOCK = 0x6261746368657321
"""Advisory lock: "batches!" in ASCII."""
MOST = 200_000
"""Objects of one batch: its manifest is made in memory."""
EVERY = timedelta(minutes=5)
"""Between two looks at a batch."""

_SAME = (batch_requests.c.family, batch_requests.c.tier, batch_requests.c.days, batch_requests.c.tag)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is to be sent, or was."""

    id: int
    token: str
    tier: str
    days: int | None
    tag: str | None
    store_id: str | None


def offer(connection: Connection, *, segment_id: int, objects: Sequence[Any], **how: Any) -> None:
    """Have a segment's objects gathered; once for each family. `how`: family, tier, days, tag, amounts."""
    source = select(replicas.c.source_id).join(segments, segments.c.replica_id == replicas.c.id)
    connection.execute(
        upsert(batch_requests)
        .values(
            segment_id=segment_id,
            location_id=source.where(segments.c.id == segment_id).scalar_subquery(),
            objects=list(objects),
            number=len(objects),
            **how,
        )
        .on_conflict_do_nothing()
    )


def of_segment(connection: Connection, segment_id: int) -> list[Row[Any]]:
    """The segment's requests: family, state, objects, failures, and how long ago (seconds) the last change was."""
    since = func.extract("epoch", func.clock_timestamp() - batch_requests.c.changed_at).label("since")
    mine = batch_requests.c.segment_id == segment_id
    return list(connection.execute(select(batch_requests, since).where(mine)).all())


def plan(connection: Connection, *, location_id: str, threshold: int, gather: timedelta) -> list[int]:
    """Make batches of what waits for the same; returns the segments that are to ask by themselves.

    Nothing where another process is at it.
    """
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        return []
    here = (batch_requests.c.location_id == location_id, batch_requests.c.state == "gathering")
    thawing = exists().where(
        segments.c.id == batch_requests.c.segment_id, segments.c.state == SegmentState.THAWING.value
    )
    connection.execute(delete(batch_requests).where(*here, ~thawing))
    late = func.bool_or(batch_requests.c.asked_at < func.clock_timestamp() - interval(gather)).label("late")
    groups = connection.execute(
        select(*_SAME, func.sum(batch_requests.c.number).label("objects"), late).where(*here).group_by(*_SAME)
    ).all()
    alone: list[int] = []
    for group in groups:
        same = [*here, *(column.is_not_distinct_from(group._mapping[column.name]) for column in _SAME)]
        if group.objects >= threshold:
            _make(connection, location_id, group, same)
        elif group.late:
            alone += _set(connection, same, state="direct")
    return alone


def _make(connection: Connection, location_id: str, group: Any, same: Sequence[ColumnElement[bool]]) -> None:
    """As many batches as the objects need, the longest waiting first."""
    waiting = connection.execute(
        select(batch_requests.c.segment_id, batch_requests.c.number).where(*same).order_by(batch_requests.c.asked_at)
    ).all()
    chunk: list[int] = []
    size = 0
    for row in waiting:
        if chunk and size + row.number > MOST:
            _send(connection, location_id, group, same, chunk, size)
            chunk, size = [], 0
        chunk.append(row.segment_id)
        size += row.number
    _send(connection, location_id, group, same, chunk, size)


def _send(
    connection: Connection,
    location_id: str,
    group: Any,
    same: Sequence[ColumnElement[bool]],
    chunk: list[int],
    size: int,
) -> None:
    how = {column.name: group._mapping[column.name] for column in _SAME}
    made = insert(batches).values(location_id=location_id, objects=size, **how).returning(batches.c.id)
    batch_id = connection.execute(made).scalar_one()
    _set(connection, [*same, batch_requests.c.segment_id.in_(chunk)], state="in_batch", batch_id=batch_id)


def unsent(connection: Connection, *, location_id: str) -> list[Batch]:
    """Batches that no store knows of, as far as we know."""
    mine = select(batches).where(batches.c.location_id == location_id, batches.c.state == "planned")
    return [_batch(row) for row in connection.execute(mine.order_by(batches.c.id))]


def objects_of(connection: Connection, batch: Batch) -> list[tuple[str, str | None]]:
    """Key and version of every object, in the same order each time."""
    mine = batch_requests.c.batch_id == batch.id
    found = connection.execute(select(batch_requests.c.objects).where(mine).order_by(batch_requests.c.segment_id))
    return [(key, version) for objects in found.scalars() for key, version in objects]


def sent(connection: Connection, batch: Batch, *, store_id: str) -> None:
    """The store has it."""
    _change(connection, batch, state="sent", store_id=store_id, next_check_at=_in(EVERY))


def due(connection: Connection, *, location_id: str) -> list[Batch]:
    """Batches to look at."""
    mine = select(batches).where(
        batches.c.location_id == location_id, batches.c.state == "sent", batches.c.next_check_at <= NOW
    )
    return [_batch(row) for row in connection.execute(mine.order_by(batches.c.id))]


def looked(connection: Connection, batch: Batch, *, status: str) -> None:
    """It goes on."""
    _change(connection, batch, status=status, next_check_at=_in(EVERY))


def ended(
    connection: Connection,
    batch: Batch,
    *,
    status: str,
    why: str,
    failures: Mapping[str, Sequence[Any]],
    complete: bool,
) -> list[int]:
    """It asked for its objects, or was refused: `failures` by key, as JSON. Returns the segments to look at.

    Where it is not `complete`, what it did not come to is for the segments to ask for by themselves.
    """
    _change(connection, batch, state="ended", status=status, why=why, failed=len(failures), ended_at=NOW)
    requests = connection.execute(
        select(batch_requests.c.segment_id, batch_requests.c.family, batch_requests.c.objects).where(
            batch_requests.c.batch_id == batch.id
        )
    ).all()
    woken: list[int] = []
    for row in requests:
        mine = {key: list(failures[key]) for key, _ in row.objects if key in failures}
        same = [batch_requests.c.segment_id == row.segment_id, batch_requests.c.family == row.family]
        woken += _set(connection, same, state="done" if complete else "direct", failures=mine)
    return woken


def _batch(row: Row[Any]) -> Batch:
    return Batch(row.id, str(row.token), row.tier, row.days, row.tag, row.store_id)


def _change(connection: Connection, batch: Batch, **values: Any) -> None:
    connection.execute(update(batches).where(batches.c.id == batch.id).values(**values))


def _set(connection: Connection, which: Sequence[ColumnElement[bool]], **values: Any) -> list[int]:
    changed = update(batch_requests).where(*which).values(changed_at=NOW, **values)
    return list(connection.execute(changed.returning(batch_requests.c.segment_id)).scalars())


def _in(duration: timedelta) -> Any:
    return func.clock_timestamp() + interval(duration)
