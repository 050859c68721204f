"""What is known about an ingest, as the API answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus, IngestType
from common.domain.location import Location
from common.domain.replica import SegmentState
from common.ledger import proofs, stalls
from common.ledger.beginning import read_location
from common.ledger.proofs import Proof, Which
from common.ledger.stalls import Stalled
from common.ledger.tables import ingest_events, ingests, segments


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


NAMED = 100


def exists(connection: Connection, ingest_id: UUID) -> bool:
    return connection.execute(select(ingests.c.id).where(ingests.c.id == ingest_id)).first() is not None


def find_ingest(connection: Connection, ingest_id: UUID) -> IngestRecord | None:
    row = connection.execute(select(ingests).where(ingests.c.id == ingest_id)).one_or_none()
    if row is None:
        return None
    return IngestRecord(
        id=row.id,
        type=IngestType(row.ingest_type),
        status=IngestStatus(row.status),
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        source=read_location(connection, row.source_id),
        destination=read_location(connection, row.destination_id),
        options=row.options,
        callback_url=row.callback_url,
        callback_status=row.callback_status,
        error_code=row.error_code,
        created_at=row.created_at,
        events=_history(connection, ingest_id),
        progress=_progress(connection, ingest_id),
        **_found_wrong(connection, ingest_id),
        retry_of=row.retry_of,
        stalled=None if row.finished_at else stalls.of_ingest(connection, ingest_id),
    )


def _found_wrong(connection: Connection, ingest_id: UUID) -> dict[str, Any]:
    bad, doubted = proofs.count_suspicious(connection, ingest_id=ingest_id)
    worst = proofs.proofs(connection, ingest_id=ingest_id, which=Which.BAD, limit=NAMED) if bad else []
    return {"bad_files": bad, "doubted_files": doubted, "worst": tuple(worst)}


def marks(connection: Connection, ingest_ids: Iterable[UUID]) -> dict[UUID, int]:
    """For each ingest a number that grows with its history; of one without a history, none."""
    last = func.max(ingest_events.c.id).label("last")
    asked = ingest_events.c.ingest_id.in_(list(ingest_ids))
    rows = connection.execute(select(ingest_events.c.ingest_id, last).where(asked).group_by(ingest_events.c.ingest_id))
    return {row.ingest_id: row.last for row in rows}


def _history(connection: Connection, ingest_id: UUID) -> tuple[Event, ...]:
    rows = connection.execute(
        select(ingest_events.c.description, ingest_events.c.created_at, ingest_events.c.detail)
        .where(ingest_events.c.ingest_id == ingest_id)
        .order_by(ingest_events.c.created_at, ingest_events.c.id)
    )
    return tuple(Event(row.description, row.created_at, row.detail) for row in rows)


_REACHED = {
    "thawed": (SegmentState.COPYING, SegmentState.VERIFYING, SegmentState.VERIFIED),
    "copied": (SegmentState.VERIFYING, SegmentState.VERIFIED),
    "verified": (SegmentState.VERIFIED,),
}
"""The states of segments that have this behind them."""


def _progress(connection: Connection, ingest_id: UUID) -> Progress:
    columns: list[ColumnElement[Any]] = _sums("planned", None)
    for name, states in _REACHED.items():
        columns += _sums(name, segments.c.state.in_([state.value for state in states]))
    row = connection.execute(select(*columns).where(segments.c.ingest_id == ingest_id)).one()._mapping
    return Progress(**{name: _amount(row, name) for name in ("planned", *_REACHED)})


def _sums(name: str, condition: ColumnElement[bool] | None) -> list[ColumnElement[Any]]:
    totals = {
        "segments": func.count(),
        "files": func.sum(segments.c.file_count),
        "bytes": func.sum(segments.c.bytes),
    }
    kept = {what: total if condition is None else total.filter(condition) for what, total in totals.items()}
    return [func.coalesce(total, 0).label(f"{name}_{what}") for what, total in kept.items()]


def _amount(row: Mapping[Any, Any], name: str) -> Amount:
    return Amount(
        segments=int(row[f"{name}_segments"]), files=int(row[f"{name}_files"]), bytes=int(row[f"{name}_bytes"])
    )
