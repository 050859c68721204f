"""What counts against a location's thaw budget now, and who waits: the snapshot that the plan decides on."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Text, cast, func, select

from common.ledger.claims import interval
from common.ledger.tables import ingests, replicas
from common.ledger.thawing.tables import thaw_admissions, thaw_days
from common.thawing.candidates import Candidate, Snapshot, Usage
from common.thawing.pace import Copied, busy_rate
from common.thawing.tiers import Span

_HEADS = 1000
"""Of each campaign so many are considered, its bags side by side: more could hardly go at once."""
_LATELY = timedelta(hours=6)
_SAMPLE = 500

WAITING = (thaw_admissions.c.admitted_at.is_(None), thaw_admissions.c.released_at.is_(None))
IN_FLIGHT = (thaw_admissions.c.admitted_at.is_not(None), thaw_admissions.c.released_at.is_(None))
_BAG: ColumnElement[Any] = func.coalesce(thaw_admissions.c.replica_id, -thaw_admissions.c.row_id)
"""Whose turn it is within a campaign: the bag's, or the import's, each of which is for itself."""
Key = tuple[str, int]
"""Kind and id of a row."""


def snapshot(connection: Connection, location: str, *, now: datetime, zone: tzinfo) -> tuple[Snapshot, dict[int, Key]]:
    """Everything that the plan needs, and which row each of its candidates is."""
    rows = _waiting(connection, location)
    soonest = min((row.soonest_seconds for row in rows), default=0)
    candidates = [_candidate(number, row) for number, row in enumerate(rows)]
    at = Snapshot(
        now=now,
        zone=zone,
        waiting=candidates,
        usage=_usage(connection, location, day=now.astimezone(zone).date(), soonest=timedelta(seconds=soonest)),
        campaigns=_held_by(connection, location, cast(ingests.c.campaign_id, Text)),
        bags=_held_by(connection, location, _BAG),
        copy_rate=copy_rate(connection, location),
    )
    return at, {number: (row.kind, row.row_id) for number, row in enumerate(rows)}


def _waiting(connection: Connection, location: str) -> list[Any]:
    """The heads of every campaign's line: the first rows of all its bags before the second of any."""
    of_bag = func.row_number().over(partition_by=_BAG, order_by=(thaw_admissions.c.since, thaw_admissions.c.row_id))
    every = (
        select(
            thaw_admissions,
            ingests.c.campaign_id,
            _BAG.label("bag"),
            func.coalesce(replicas.c.priority, 0).label("priority"),
            replicas.c.deadline,
            of_bag.label("turn"),
        )
        .outerjoin(ingests, ingests.c.id == thaw_admissions.c.ingest_id)
        .outerjoin(replicas, replicas.c.id == thaw_admissions.c.replica_id)
        .where(thaw_admissions.c.location_id == location, *WAITING)
        .subquery()
    )
    place = func.row_number().over(
        partition_by=every.c.campaign_id,
        order_by=(every.c.priority.desc(), every.c.turn, every.c.deadline.asc().nulls_last(), every.c.since),
    )
    oldest = func.row_number().over(order_by=every.c.since)
    ranked = select(every, place.label("place"), oldest.label("age")).subquery()
    # Whoever has waited longest is considered whatever its place: it may have waited too long.
    return list(connection.execute(select(ranked).where((ranked.c.place <= _HEADS) | (ranked.c.age <= _HEADS))))


def _candidate(number: int, row: Any) -> Candidate:
    return Candidate(
        id=number,
        bag=row.bag,
        campaign=str(row.campaign_id) if row.campaign_id else None,
        bytes=row.bytes,
        objects=row.objects,
        span=Span(timedelta(seconds=row.soonest_seconds), timedelta(seconds=row.latest_seconds)),
        since=row.since,
        priority=row.priority,
        deadline=row.deadline,
        cost=row.cost,
        days=row.named_days,
    )


def _usage(connection: Connection, location: str, *, day: date, soonest: timedelta) -> Usage:
    table = thaw_admissions.c
    warm = table.readable_at.is_not(None)
    surely = table.admitted_at + cast(table.latest_seconds, Integer) * interval(timedelta(seconds=1))
    due = ~warm & (surely <= func.clock_timestamp() + interval(soonest))
    flight = connection.execute(
        select(
            _sum(table.bytes).label("bytes"),
            _sum(table.objects).label("objects"),
            _sum(table.bytes, warm).label("warm"),
            _sum(table.bytes, due).label("due"),
        ).where(table.location_id == location, *IN_FLIGHT)
    ).one()
    days = thaw_days.c
    today = days.day == day
    spent = connection.execute(
        select(
            _sum(days.bytes, today).label("bytes"),
            _sum(days.requests, today).label("requests"),
            func.coalesce(func.sum(days.cost), 0).label("cost"),
        ).where(days.location_id == location, days.day >= day.replace(day=1))
    ).one()
    return Usage(
        bytes=int(flight.bytes),
        objects=int(flight.objects),
        warm=int(flight.warm),
        due=int(flight.due),
        bytes_today=int(spent.bytes),
        requests_today=int(spent.requests),
        cost_this_month=spent.cost,
    )


def _held_by(connection: Connection, location: str, by: ColumnElement[Any]) -> dict[Any, int]:
    rows = connection.execute(
        select(by, _sum(thaw_admissions.c.bytes))
        .select_from(thaw_admissions)
        .outerjoin(ingests, ingests.c.id == thaw_admissions.c.ingest_id)
        .where(thaw_admissions.c.location_id == location, *IN_FLIGHT)
        .group_by(by)
    )
    return {row[0]: int(row[1]) for row in rows}


def copy_rate(connection: Connection, location: str) -> float | None:
    """Bytes per second of copying what was thawed here lately; None: not known."""
    table = thaw_admissions.c
    rows = connection.execute(
        select(table.readable_at, table.released_at, table.bytes)
        .where(
            table.location_id == location,
            table.copied,
            table.readable_at.is_not(None),
            table.released_at > func.clock_timestamp() - interval(_LATELY),
        )
        .order_by(table.released_at.desc())
        .limit(_SAMPLE)
    )
    return busy_rate([Copied(row.readable_at, row.released_at, row.bytes) for row in rows])


def _sum(column: ColumnElement[Any], condition: ColumnElement[bool] | None = None) -> ColumnElement[Any]:
    total = func.sum(column)
    return func.coalesce(total if condition is None else total.filter(condition), 0)
