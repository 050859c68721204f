"""Who may ask for restores now: one decision at a time for each location, in one transaction, for all who wait.

A row that wants something frozen comes into the line. Whoever looks next decides for everybody, and what was admitted
counts against the budget from that moment, whether its worker lives or not. What it holds is given back by triggers,
when the row goes on to be verified or comes to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.ledger.tables import NOW, imports, replicas, segments
from common.ledger.thawing.tables import thaw_admissions, thaw_days, thaw_looks
from common.ledger.thawing.usage import Key, snapshot
from common.thawing.admission import Decision, plan
from common.thawing.budget import Budget
from common.thawing.tiers import Span
from common.topology import Kind

_AT_THE_LATEST = timedelta(minutes=15)
"""There is another decision after this, whatever the last one expected."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is frozen of one row and was not asked for."""

    kind: Kind
    row_id: int
    ingest_id: UUID | None
    """None for an import."""
    objects: int
    bytes: int
    cost: Decimal
    """Of asking for it, readable for the longest window."""
    span: Span
    days: int | None = None
    """Days that the request names."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A location's budget and the hours it keeps."""

    location: str
    name: str
    """For people."""
    budget: Budget
    zone: tzinfo
    check_every: timedelta = timedelta(minutes=15)
    """How often each of those who wait looks whether it is his turn. Whoever looks decides for all."""


@dataclass(frozen=True, slots=True)
class Go:
    """Ask now."""

    days: int
    may_extend: bool


@dataclass(frozen=True, slots=True)
class Later:
    """Not yet."""

    why: str
    again_in: timedelta
    waited: timedelta
    """How long so far."""


def admit(connection: Connection, need: Need, terms: Terms) -> Go | Later:
    """Whether the row may ask now. Twice: the same answer, as long as it does not need more than it was given."""
    look = _look(connection, terms.location)
    mine = _in_line(connection, need, terms.location)
    if mine.admitted_at is None and (look.look_at <= look.now or not look.why):
        look = _decide(connection, terms, now=look.now)
        mine = _mine(connection, need)
    if mine.admitted_at is not None:
        may_extend = mine.extensions < terms.budget.most_extensions and affords(connection, terms)
        return Go(days=mine.days, may_extend=may_extend)
    again = max(look.look_at - look.now, terms.check_every)
    return Later(look.why, again, look.now - mine.since)


def note(connection: Connection, need: Need, *, location: str) -> None:
    """Write down that the row asks now, where no budget holds it back."""
    if _in_line(connection, need, location).admitted_at is None:
        values = {"admitted_at": NOW, "left_objects": need.objects, "rounds": thaw_admissions.c.rounds + 1}
        connection.execute(update(thaw_admissions).where(_is(need)).values(**values))


def prolonged(connection: Connection, terms: Terms, *, requests: int, cost: Decimal) -> None:
    """Count against the day and the month what prolonging copies took."""
    _count(connection, terms.location, day=_today(connection, terms), values={"requests": requests, "cost": cost})


def affords(connection: Connection, terms: Terms) -> bool:
    """Whether the month has money left for prolonging. Only what is on its way by then can go beyond the limit."""
    most = terms.budget.cost_per_month
    if most is None:
        return True
    first = _today(connection, terms).replace(day=1)
    mine = (thaw_days.c.location_id == terms.location) & (thaw_days.c.day >= first)
    spent = connection.execute(select(func.coalesce(func.sum(thaw_days.c.cost), 0)).where(mine)).scalar_one()
    return bool(spent < most)


def _today(connection: Connection, terms: Terms) -> date:
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(terms.zone).date()


@dataclass(frozen=True, slots=True)
class _Look:
    now: datetime
    look_at: datetime
    why: str


def _look(connection: Connection, location: str) -> _Look:
    """Lock the location's line until the transaction ends."""
    connection.execute(insert(thaw_looks).values(location_id=location).on_conflict_do_nothing())
    row = connection.execute(select(thaw_looks).where(thaw_looks.c.location_id == location).with_for_update()).one()
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    return _Look(now, row.look_at, row.why)


def _in_line(connection: Connection, need: Need, location: str) -> Any:
    """The row's place: a new one, the one it has, or a further round where it needs more than was admitted."""
    facts = {
        "location_id": location,
        "replica_id": _replica_of(need),
        "ingest_id": need.ingest_id,
        "objects": need.objects,
        "bytes": need.bytes,
        "cost": need.cost,
        "soonest_seconds": int(need.span.soonest.total_seconds()),
        "latest_seconds": int(need.span.latest.total_seconds()),
        "named_days": need.days,
    }
    table = thaw_admissions.c
    before = connection.execute(select(table.left_objects, table.released_at).where(_is(need))).one_or_none()
    if before is not None and before.released_at is None and need.objects <= before.left_objects:
        return _mine(connection, need)
    place = insert(thaw_admissions).values(kind=need.kind, row_id=need.row_id, **facts)
    waits = table.admitted_at.is_(None) & table.released_at.is_(None)
    connection.execute(
        place.on_conflict_do_update(
            index_elements=["kind", "row_id"],
            set_=facts
            | {
                "since": case((waits, table.since), else_=func.clock_timestamp()),
                "admitted_at": None,
                "released_at": None,
                "readable_at": None,
                "expires_at": None,
                "left_objects": 0,
                "copied": False,
            },
        )
    )
    return _mine(connection, need)


def _replica_of(need: Need) -> Any:
    if need.kind == "replica":
        return need.row_id
    if need.kind == "import":
        return None
    return select(segments.c.replica_id).where(segments.c.id == need.row_id).scalar_subquery()


def _mine(connection: Connection, need: Need) -> Any:
    return connection.execute(select(thaw_admissions).where(_is(need))).one()


def _is(need: Need) -> Any:
    return (thaw_admissions.c.kind == need.kind) & (thaw_admissions.c.row_id == need.row_id)


def _decide(connection: Connection, terms: Terms, *, now: datetime) -> _Look:
    at, keys = snapshot(connection, terms.location, now=now, zone=terms.zone)
    decision = plan(at, terms.budget, location=terms.name)
    candidates = {one.id: one for one in at.waiting}
    chosen = [candidates[one.id] for one in decision.admitted]
    _write_down(connection, decision, keys)
    if chosen:
        _count(
            connection,
            terms.location,
            day=now.astimezone(terms.zone).date(),
            values={
                "bytes": sum(one.bytes for one in chosen),
                "requests": sum(one.objects for one in chosen),
                "cost": sum((one.cost for one in chosen), Decimal(0)),
            },
        )
    found = _Look(now, min(decision.look_again, now + _AT_THE_LATEST), decision.why)
    connection.execute(
        update(thaw_looks)
        .where(thaw_looks.c.location_id == terms.location)
        .values(look_at=found.look_at, why=found.why)
    )
    return found


def _write_down(connection: Connection, decision: Decision, keys: Mapping[int, Key]) -> None:
    for one in decision.admitted:
        kind, row_id = keys[one.id]
        connection.execute(
            update(thaw_admissions)
            .where(thaw_admissions.c.kind == kind, thaw_admissions.c.row_id == row_id)
            .values(
                admitted_at=NOW,
                days=one.days,
                left_objects=thaw_admissions.c.objects,
                rounds=thaw_admissions.c.rounds + 1,
            )
        )
    for kind, table in (("segment", segments), ("replica", replicas), ("import", imports)):
        _hurry(connection, table, [keys[one.id][1] for one in decision.admitted if keys[one.id][0] == kind])


def _hurry(connection: Connection, table: Any, ids: Sequence[int]) -> None:
    """Rows that were admitted while they waited are due now. One that somebody works on needs no help."""
    free = or_(table.c.lease_until.is_(None), table.c.lease_until < NOW)
    chosen = select(table.c.id).where(table.c.id.in_(ids), free).with_for_update(skip_locked=True).cte("chosen")
    connection.execute(update(table).where(table.c.id == chosen.c.id).values(due_at=NOW))


def _count(connection: Connection, location: str, *, day: date, values: Mapping[str, Any]) -> None:
    table = insert(thaw_days).values(location_id=location, day=day, **values)
    connection.execute(
        table.on_conflict_do_update(
            index_elements=["location_id", "day"],
            set_={name: thaw_days.c[name] + table.excluded[name] for name in values},
        )
    )
