"""How far an ingest's thaw is: what it waits for, what has been observed, how fast copying is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from common.ledger.claims import interval
from common.ledger.tables import segments
from common.ledger.thawing.tables import thaw_admissions, thaw_looks
from common.ledger.thawing.usage import copy_rate
from common.thawing.expecting import Observed, Thawing

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
