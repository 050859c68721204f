"""Bag versions at a location, one line each: what is lacking and why, or what is there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    exists,
    false,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql.selectable import Select

from common.domain.bag import BagVersion
from common.domain.coverage import CopyState, Policy
from common.domain.replica import EvidenceClass, ReplicaState, SegmentState, Verdict
from common.ledger.coverage.counting import OPEN
from common.ledger.coverage.tables import gaps
from common.ledger.fixity.tables import copy_health
from common.ledger.tables import bag_locations, bag_versions, replicas, segments

LACKING = (
    CopyState.MISSING,
    CopyState.IN_PROGRESS,
    CopyState.WAITING,
    CopyState.STALLED,
    CopyState.FAILED,
)
"""What a report of what is not backfilled lists where it is not asked for other states."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines of a location are wanted."""

    location: str
    space: str | None = None
    states: frozenset[CopyState] = frozenset(LACKING)


@dataclass(frozen=True, slots=True)
class Line:
    """A bag version at the location."""

    bag: BagVersion
    state: CopyState
    stage: str | None
    """Where the work is: "planning", "transferring", "aggregating" or "registering"."""
    code: str | None
    """Why it failed; only of what failed."""
    ingest_id: UUID | None
    """The ingest that works on it, or worked last, or registered it."""
    evidence: EvidenceClass | None
    """What a registered copy rests on."""
    files: int
    bytes: int


_FAILED = ReplicaState.FAILED.value


def lines(connection: Connection, *, asked: Asked, policy: Policy, after: BagVersion | None, limit: int) -> list[Line]:
    """At most `limit`, by space, identifier and version, beginning behind `after`."""
    return [_line(row) for row in rows(connection, asked=asked, policy=policy, after=after, limit=limit)]


def rows(
    connection: Connection, *, asked: Asked, policy: Policy, after: BagVersion | None, limit: int
) -> Sequence[Row[Any]]:
    """What `lines` are made of, for those who want a million: space, identifier, number of the version, state, stage,
    code, id of the ingest, files, bytes, evidence class."""
    parts = [part for part in (_gaps(asked, policy), _copies(asked)) if part is not None]
    if not parts:
        return []
    pages = [_page(part, after, limit) for part in parts]
    if len(pages) == 1:
        return connection.execute(pages[0]).all()
    both = union_all(*(select(page.subquery()) for page in pages)).subquery()
    order = (both.c.space, both.c.external_identifier, both.c.version)
    return connection.execute(select(both).order_by(*order).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class _Part:
    """A query and what it is ordered by."""

    query: Select[Any]
    order: tuple[ColumnElement[Any], ...]


def _page(part: _Part, after: BagVersion | None, limit: int) -> Select[Any]:
    query = part.query
    if after is not None:
        last = (after.space.value, after.external_identifier.value, after.version.number)
        query = query.where(tuple_(*part.order) > tuple_(*(literal(value) for value in last)))
    return query.order_by(*part.order).limit(limit)


def _gaps(asked: Asked, policy: Policy) -> _Part | None:
    wanted = [state for state in asked.states if not state.held]
    if not wanted:
        return None
    required = policy.wanted(asked.location)
    here = literal(True) if required is None else gaps.c.space.in_(sorted(required))
    replica = (replicas.c.bag_version_id == gaps.c.bag_version_id) & (replicas.c.location_id == gaps.c.location_id)
    is_open = gaps.c.state.in_(OPEN)
    query = (
        select(
            *_named(gaps),
            case(
                (gaps.c.state == _FAILED, CopyState.FAILED.value),
                (and_(gaps.c.state == "missing", here), CopyState.MISSING.value),
                (gaps.c.state == "missing", CopyState.NOT_REQUIRED.value),
                (_stands(), CopyState.STALLED.value),
                (_thaws(), CopyState.WAITING.value),
                else_=CopyState.IN_PROGRESS.value,
            ).label("standing"),
            case((is_open, gaps.c.state)).label("stage"),
            case((gaps.c.state == _FAILED, replicas.c.error_code)).label("code"),
            replicas.c.ingest_id,
            gaps.c.files,
            gaps.c.bytes,
            literal(None).label("evidence"),
        )
        .select_from(gaps.outerjoin(replicas, replica))
        .where(gaps.c.location_id == asked.location, _chosen(wanted, here))
    )
    return _Part(_of_space(query, gaps.c.space, asked), _named(gaps))


def _chosen(wanted: Collection[CopyState], here: ColumnElement[bool]) -> ColumnElement[bool]:
    """The conditions on a gap of the wanted states, such that the index of touched gaps serves where it can."""
    states = {
        CopyState.MISSING: and_(gaps.c.state == "missing", here),
        CopyState.NOT_REQUIRED: and_(gaps.c.state == "missing", ~here),
        CopyState.FAILED: gaps.c.state == _FAILED,
        CopyState.STALLED: and_(_touched(), _stands()),
        CopyState.WAITING: and_(_touched(), _thaws(), ~_stands()),
        CopyState.IN_PROGRESS: and_(_touched(), ~_thaws(), ~_stands()),
    }
    if set(LACKING) <= set(wanted):
        # Every gap is one of these: to ask each for its state would cost more than to leave out what is not.
        return literal(True) if CopyState.NOT_REQUIRED in wanted else or_(gaps.c.state != "missing", here)
    return or_(false(), *(states[state] for state in wanted))


def _touched() -> ColumnElement[bool]:
    return and_(gaps.c.state != "missing", gaps.c.state.in_([*OPEN, ReplicaState.REGISTERED.value]))


def _thaws() -> ColumnElement[bool]:
    return exists().where(
        segments.c.ingest_id == replicas.c.ingest_id,
        segments.c.replica_id == replicas.c.id,
        segments.c.state == SegmentState.THAWING.value,
    )


def _stands() -> ColumnElement[bool]:
    segment = exists().where(segments.c.ingest_id == replicas.c.ingest_id, segments.c.stalled_at.is_not(None))
    return or_(replicas.c.stalled_at.is_not(None), segment)


def _copies(asked: Asked) -> _Part | None:
    wanted = [state for state in asked.states if state.held]
    if not wanted:
        return None
    read_back = bag_locations.c.evidence_class >= EvidenceClass.READ_BACK.value
    bad = exists().where(
        copy_health.c.bag_version_id == bag_locations.c.bag_version_id,
        copy_health.c.location_id == bag_locations.c.location_id,
        copy_health.c.verdict == Verdict.BAD.value,
    )
    query = (
        select(
            *_named(bag_versions),
            case(
                (bad, CopyState.DAMAGED.value), (read_back, CopyState.VERIFIED.value), else_=CopyState.LISTED.value
            ).label("standing"),
            literal(None).label("stage"),
            literal(None).label("code"),
            bag_locations.c.ingest_id,
            bag_versions.c.file_count.label("files"),
            bag_versions.c.bytes,
            bag_locations.c.evidence_class.label("evidence"),
        )
        .join(bag_locations, bag_locations.c.bag_version_id == bag_versions.c.id)
        .where(bag_locations.c.location_id == asked.location)
    )
    states = {CopyState.DAMAGED: bad, CopyState.VERIFIED: ~bad & read_back, CopyState.LISTED: ~bad & ~read_back}
    if len(wanted) < len(states):
        query = query.where(or_(*(states[state] for state in wanted)))
    return _Part(_of_space(query, bag_versions.c.space, asked), _named(bag_versions))


def _of_space(query: Select[Any], column: ColumnElement[Any], asked: Asked) -> Select[Any]:
    return query if asked.space is None else query.where(column == asked.space)


def _named(table: Any) -> tuple[ColumnElement[Any], ...]:
    return table.c.space, table.c.external_identifier, table.c.version


def _line(row: Any) -> Line:
    return Line(
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        state=CopyState(row.standing),
        stage=row.stage,
        code=row.code,
        ingest_id=row.ingest_id,
        evidence=None if row.evidence is None else EvidenceClass(row.evidence),
        files=row.files,
        bytes=row.bytes,
    )
