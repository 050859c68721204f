"""What is known about an ingest, as the API answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy import Uuid as UUIDType
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import NullType

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus, IngestType
from common.domain.layout import Layout
from common.domain.location import Location, LocationId, Provider
from common.domain.replica import SegmentState
from common.ledger import proofs, stalls
from common.ledger.proofs import Proof, Which
from common.ledger.stalls import Stalled
from common.ledger.tables import ingest_events, ingests, locations, segments


@dataclass(frozen=True, slots=True)
class Event:
    """One sentence of an ingest's history."""

    description: str
    created_at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of a bag."""

    segments: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the bag has come at least this far. Segments of a failed replica that were called off have not."""

    planned: Amount
    thawed: Amount
    copied: Amount
    verified: Amount


NO_PROGRESS = Progress(*[Amount(0, 0, 0)] * 4)
"""Nothing is planned yet."""


@dataclass(frozen=True, slots=True)
class IngestRecord:
    """An ingest with its history."""

    id: UUID
    type: IngestType
    status: IngestStatus
    bag: BagVersion
    source: Location
    destination: Location
    options: Mapping[str, Any]
    callback_url: str | None
    callback_status: str | None
    error_code: str | None
    created_at: datetime
    events: tuple[Event, ...]
    """Oldest first."""
    progress: Progress
    bad_files: int = 0
    doubted_files: int = 0
    """Good at last, though an earlier read said otherwise."""
    worst: tuple[Proof, ...] = ()
    """The first :data:`NAMED` bad files."""
    retry_of: UUID | None = None
    """The failed ingest that this one does again."""
    stalled: Stalled | None = None
    """The part that has stood still for longest; None while all goes on."""
    mark: int = 0
    """Grows with the history, as :func:`marks` has it; 0 without one."""


NAMED = 100


def exists(connection: Connection, ingest_id: UUID) -> bool:
    return connection.execute(select(ingests.c.id).where(ingests.c.id == ingest_id)).first() is not None


def find_ingest(connection: Connection, ingest_id: UUID) -> IngestRecord | None:
    return find_ingests(connection, [ingest_id]).get(ingest_id)


def find_ingests(connection: Connection, ingest_ids: Sequence[UUID]) -> dict[UUID, IngestRecord]:
    """Those of them that there are, in one statement; each that has something wrong with it takes another, or two."""
    if not ingest_ids:
        return {}
    if len(ingest_ids) == 1:
        rows = connection.execute(_ONE, {"wanted": ingest_ids[0]})
    else:
        # PostgreSQL plans a statement anew each time unless the plan for any list costs no more than that for this
        # list, and planning costs more than looking. Naming one of them again makes the list long enough.
        fill = [ingest_ids[0]] * (_PLANNED_ONCE - len(ingest_ids))
        rows = connection.execute(_SEVERAL, {"wanted": [*ingest_ids, *fill]})
    return {row.id: _record(connection, row) for row in rows.all()}


def _record(connection: Connection, row: Row[Any]) -> IngestRecord:
    return IngestRecord(
        id=row.id,
        type=IngestType(row.ingest_type),
        status=IngestStatus(row.status),
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        source=Location(
            LocationId(row.source_id), Provider(row.source_provider), row.source_bucket, row.source_prefix,
            row.source_title, Layout(row.source_layout),
        ),
        destination=Location(
            LocationId(row.destination_id), Provider(row.destination_provider), row.destination_bucket,
            row.destination_prefix, row.destination_title, Layout(row.destination_layout),
        ),
        options=row.options,
        callback_url=row.callback_url,
        callback_status=row.callback_status,
        error_code=row.error_code,
        created_at=row.created_at,
        events=tuple(map(Event, row.descriptions or (), row.moments or (), row.details or ())),
        progress=_progress_of(row),
        bad_files=row.bad,
        doubted_files=row.doubted,
        worst=_worst(connection, row.id) if row.bad else (),
        retry_of=row.retry_of,
        stalled=stalls.of_ingest(connection, row.id) if row.stands_still and not row.finished_at else None,
        mark=row.mark or 0,
    )  # fmt: skip


def _progress_of(row: Row[Any]) -> Progress:
    return Progress(
        planned=Amount(row.planned_segments, row.planned_files, row.planned_bytes),
        thawed=Amount(row.thawed_segments, row.thawed_files, row.thawed_bytes),
        copied=Amount(row.copied_segments, row.copied_files, row.copied_bytes),
        verified=Amount(row.verified_segments, row.verified_files, row.verified_bytes),
    )


def _worst(connection: Connection, ingest_id: UUID) -> tuple[Proof, ...]:
    return tuple(proofs.proofs(connection, ingest_id=ingest_id, which=Which.BAD, limit=NAMED))


def marks(connection: Connection, ingest_ids: Iterable[UUID]) -> dict[UUID, int]:
    """For each ingest a number that grows with its history; of one without a history, none."""
    last = func.max(ingest_events.c.id).label("last")
    asked = ingest_events.c.ingest_id.in_(list(ingest_ids))
    rows = connection.execute(select(ingest_events.c.ingest_id, last).where(asked).group_by(ingest_events.c.ingest_id))
    return {row.ingest_id: row.last for row in rows}


_REACHED = {
    "thawed": (SegmentState.COPYING, SegmentState.VERIFYING, SegmentState.VERIFIED),
    "copied": (SegmentState.VERIFYING, SegmentState.VERIFIED),
    "verified": (SegmentState.VERIFIED,),
}
"""The states of segments that have this behind them."""


def _sums(name: str, condition: ColumnElement[bool] | None) -> list[ColumnElement[Any]]:
    totals: dict[str, Any] = {
        "segments": func.count(),
        "files": func.sum(segments.c.file_count),
        "bytes": func.sum(segments.c.bytes),
    }
    kept = {what: total if condition is None else total.filter(condition) for what, total in totals.items()}
    nothing: ColumnElement[int] = literal_column("0")
    return [cast(func.coalesce(total, nothing), BigInteger).label(f"{name}_{what}") for what, total in kept.items()]


def _place(name: str) -> tuple[FromClause, list[ColumnElement[Any]]]:
    table = locations.alias(name)
    return table, [
        table.c[part].label(f"{name}_{part}") for part in ("provider", "bucket", "prefix", "title", "layout")
    ]


def _whole(wanted: ColumnElement[bool]) -> Select[Any]:
    """Everything that is known about the `wanted`, a row for each; every part looks up one ingest at a time.

    Made once: building it costs more than running it.
    """
    about = ingests.c.id
    source, source_facts = _place("source")
    destination, destination_facts = _place("destination")
    parts = [_history(about), _progress(about), proofs.suspicious(about).lateral("suspicious")]
    asked = select(
        ingests, *source_facts, *destination_facts, *(column for part in parts for column in part.c),
        stalls.any_of(about).label("stands_still"),
    )  # fmt: skip
    rows = ingests.join(source, source.c.id == ingests.c.source_id)
    rows = rows.join(destination, destination.c.id == ingests.c.destination_id)
    for part in parts:
        rows = rows.join(part, true())
    return asked.select_from(rows).where(wanted)


def _history(about: ColumnElement[UUID]) -> FromClause:
    order = (ingest_events.c.created_at, ingest_events.c.id)
    columns = {"descriptions": "description", "moments": "created_at", "details": "detail"}
    lists = [
        # The driver reads arrays; SQLAlchemy would go through them once more.
        type_coerce(func.array_agg(aggregate_order_by(ingest_events.c[column], *order)), NullType()).label(name)
        for name, column in columns.items()
    ]
    last = func.max(ingest_events.c.id).label("mark")
    return select(*lists, last).where(ingest_events.c.ingest_id == about).lateral("history")


def _progress(about: ColumnElement[UUID]) -> FromClause:
    columns: list[ColumnElement[Any]] = _sums("planned", None)
    for name, states in _REACHED.items():
        # Written out: SQLAlchemy makes statements with lists of values anew each time.
        reached: list[ColumnElement[str]] = [literal_column(f"'{state.value}'") for state in states]
        columns += _sums(name, segments.c.state.in_(reached))
    return select(*columns).where(segments.c.ingest_id == about).lateral("amounts")


_ONE = _whole(ingests.c.id == bindparam("wanted", type_=UUIDType()))
_SEVERAL = _whole(ingests.c.id == any_(bindparam("wanted", type_=ARRAY(UUIDType()))))
_PLANNED_ONCE = 16
"""Ids in a list for which PostgreSQL keeps the plan; it takes a list that it does not know for ten."""
