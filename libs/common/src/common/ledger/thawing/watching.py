"""How far an ingest's thaw is: what it waits for, what has been observed, how fast copying is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from common.ledger.claims import interval
from common.ledger.tables import segments
from common.ledger.thawing.tables import thaw_admissions, thaw_looks
from common.ledger.thawing.usage import copy_rate
from common.thawing.expecting import Observed, Thawing, takes

_LATELY = timedelta(days=30)
_SAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Watched:
    """Facts for an expectation."""

    now: datetime
    thawing: tuple[Thawing, ...]
    waiting: int
    """Parts that wait for their turn."""
    why: str
    """What they wait for, as the last decision had it."""
    observed: dict[timedelta, Observed]
    rate: float | None


def watch(connection: Connection, *, ingest_id: UUID, location: str) -> Watched:
    """Of an ingest whose source is `location`, with a budget or without."""
    table = thaw_admissions.c
    rows = connection.execute(
        select(table.admitted_at, table.latest_seconds).where(
            table.row_id.in_(select(segments.c.id).where(segments.c.ingest_id == ingest_id)),
            table.kind == "segment",
            table.released_at.is_(None),
            table.readable_at.is_(None),
        )
    ).all()
    why = connection.execute(select(thaw_looks.c.why).where(thaw_looks.c.location_id == location)).scalar() or ""
    waiting = sum(row.admitted_at is None for row in rows)
    return Watched(
        now=connection.execute(select(func.clock_timestamp())).scalar_one(),
        thawing=tuple(Thawing(row.admitted_at, timedelta(seconds=row.latest_seconds)) for row in rows),
        waiting=waiting,
        why=why if waiting else "",
        observed=_observed(connection, location),
        rate=copy_rate(connection, location),
    )


@dataclass(frozen=True, slots=True)
class Frozen:
    """What of an ingest cannot be read yet."""

    parts: int
    waiting: int
    """Of those, not asked for yet: they wait for their turn."""
    readable_at: datetime | None
    """When the last of what was asked for can be read, by table or observation; None where something waits."""


def frozen(connection: Connection, ingest_ids: Sequence[UUID]) -> dict[UUID, Frozen]:
    """Of those that have anything frozen: one statement, and one more for each location that is thawed."""
    table = thaw_admissions.c
    rows = connection.execute(
        select(
            table.ingest_id,
            table.location_id,
            table.latest_seconds,
            func.count().label("parts"),
            func.count().filter(table.admitted_at.is_(None)).label("waiting"),
            func.max(table.admitted_at).label("asked"),
        )
        .where(table.ingest_id.in_(ingest_ids), table.released_at.is_(None), table.readable_at.is_(None))
        .group_by(table.ingest_id, table.location_id, table.latest_seconds)
    ).all()
    observed = {location: _observed(connection, location) for location in {row.location_id for row in rows}}
    mine: dict[UUID, list[Any]] = {}
    for row in rows:
        mine.setdefault(row.ingest_id, []).append(row)
    return {ingest_id: _frozen(kinds, observed) for ingest_id, kinds in mine.items()}


def _frozen(kinds: Sequence[Any], observed: Mapping[str, Mapping[timedelta, Observed]]) -> Frozen:
    ends = [
        one.asked + takes(timedelta(seconds=one.latest_seconds), observed[one.location_id])
        for one in kinds
        if one.asked is not None
    ]
    waiting = sum(one.waiting for one in kinds)
    return Frozen(sum(one.parts for one in kinds), waiting, max(ends) if ends and not waiting else None)


def _observed(connection: Connection, location: str) -> dict[timedelta, Observed]:
    table = thaw_admissions.c
    took: Any = table.readable_at - table.admitted_at
    ended = (
        select(table.latest_seconds, took.label("took"))
        .where(
            table.location_id == location,
            table.copied,
            table.readable_at > table.admitted_at,
            table.released_at > func.clock_timestamp() - interval(_LATELY),
        )
        .order_by(table.released_at.desc())
        .limit(_SAMPLE)
        .subquery()
    )
    rows = connection.execute(
        select(
            ended.c.latest_seconds,
            func.count().label("number"),
            func.percentile_disc(0.9).within_group(ended.c.took).label("most"),
        ).group_by(ended.c.latest_seconds)
    )
    return {timedelta(seconds=row.latest_seconds): Observed(row.number, row.most) for row in rows}
