"""What an ingest has asked of the stores so far: what ending it does not take back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, Text, cast, func, select, union_all

from common.domain.replica import SegmentState
from common.ledger.tables import replicas, segments
from common.ledger.thaw_tables import batch_requests


@dataclass(frozen=True, slots=True)
class Restores:
    """Restore requests that a store accepted; renewing a copy counts again. Each copy is paid for by the day."""

    tier: str
    days: int | None
    """How long each readable copy shall last; Intelligent-Tiering moves its objects for good, whatever is said."""
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Copied:
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Asked for, copied and read back so far. A worker that vanished may have asked for more than it could note."""

    restores: tuple[Restores, ...]
    copied: Copied
    """Whole segments whose every file lies at the destination."""
    copying: Copied
    """Segments that are copied now, or whose turn is next: any part of them may lie at the destination."""
    verified: Copied
    """Of those copied, what was read back as well."""

    def document(self) -> dict[str, Any]:
        """As JSON, for the ledger and the wire."""
        return asdict(self) | {"restores": [asdict(one) for one in self.restores]}


def spent(connection: Connection, *, ingest_id: UUID) -> Spent:
    """Read it before the segments are called off: their states say how far they came."""
    return Spent(
        restores=_restores(connection, ingest_id),
        copied=_in(connection, ingest_id, SegmentState.VERIFYING, SegmentState.VERIFIED),
        copying=_in(connection, ingest_id, SegmentState.COPYING),
        verified=_in(connection, ingest_id, SegmentState.VERIFIED),
    )


def _restores(connection: Connection, ingest_id: UUID) -> tuple[Restores, ...]:
    """Each row notes what was asked for it: a segment its files, a replica its tag files, a batch its part."""
    batched = (
        select(batch_requests.c.restores.label("noted"))
        .join(segments, segments.c.id == batch_requests.c.segment_id)
        .where(segments.c.ingest_id == ingest_id, batch_requests.c.restores["objects"].astext != "0")
    )
    noted = union_all(
        batched,
        *(
            select(table.c.progress["restores"].label("noted")).where(
                table.c.ingest_id == ingest_id, table.c.progress.has_key("restores")
            )
            for table in (segments, replicas)
        ),
    ).subquery()
    tier, days = noted.c.noted["tier"].astext.label("tier"), cast(noted.c.noted["days"].astext, Integer).label("days")
    rows = connection.execute(
        select(tier, days, _sum(noted.c.noted, "objects"), _sum(noted.c.noted, "bytes"))
        .group_by(tier, days)
        .order_by(tier, days)
    )
    return tuple(Restores(row.tier, row.days, int(row.objects), int(row.bytes)) for row in rows)


def _sum(noted: Any, name: str) -> ColumnElement[Any]:
    return func.sum(cast(cast(noted[name].astext, Text), segments.c.bytes.type)).label(name)


def _in(connection: Connection, ingest_id: UUID, *states: SegmentState) -> Copied:
    row = connection.execute(
        select(
            func.coalesce(func.sum(segments.c.file_count), 0).label("files"),
            func.coalesce(func.sum(segments.c.bytes), 0).label("bytes"),
        ).where(segments.c.ingest_id == ingest_id, segments.c.state.in_([state.value for state in states]))
    ).one()
    return Copied(int(row.files), int(row.bytes))
