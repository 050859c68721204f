"""Lists of ingests: a page at a time, by date, each filter on an index.

The order is that of creation, which never changes: a reader who goes from page to page sees every ingest that was
there when they began exactly once, whatever is added or finishes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, tuple_, union

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus, IngestType
from common.domain.location import Location
from common.ledger.locations import every_location
from common.ledger.tables import ingest_events, ingests, replicas, segments

Place = tuple[datetime, UUID]
"""Where in the order: the date and id of an ingest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ingests to list; None: whatever it is."""

    external_identifier: str | None = None
    space: str | None = None
    status: IngestStatus | None = None
    stalled: bool = False
    """Only those with a part that has stalled."""
    destination: str | None = None
    code: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """An ingest without its history and progress."""

    id: UUID
    type: IngestType
    status: IngestStatus
    bag: BagVersion
    source: Location
    destination: Location
    error_code: str | None
    retry_of: UUID | None
    created_at: datetime
    last_modified: datetime | None
    stalled: bool

    @property
    def place(self) -> Place:
        return self.created_at, self.id


def page(
    connection: Connection, wanted: Wanted, *, behind: Place | None, limit: int, oldest_first: bool = False
) -> list[IngestSummary]:
    """At most `limit`, the newest first unless asked otherwise, beginning behind a place."""
    rows = connection.execute(query(wanted, behind=behind, limit=limit, oldest_first=oldest_first)).all()
    locations = {location.id.value: location for location in every_location(connection)}
    stalled = set(connection.execute(_stalled([row.id for row in rows])).scalars()) if rows else set()
    return [_summary(row, locations, stalled) for row in rows]


def query(wanted: Wanted, *, behind: Place | None, limit: int, oldest_first: bool = False) -> Select[Any]:
    """The statement of a page."""
    order = (ingests.c.created_at, ingests.c.id)
    chosen = select(ingests).where(*_conditions(wanted))
    if behind is not None:
        place = tuple_(*(literal(value) for value in behind))
        chosen = chosen.where(tuple_(*order) > place if oldest_first else tuple_(*order) < place)
    ordered = order if oldest_first else tuple(column.desc() for column in order)
    chosen_page = chosen.order_by(*ordered).limit(limit).subquery("page")
    changed = (
        select(func.max(ingest_events.c.created_at)).where(ingest_events.c.ingest_id == chosen_page.c.id)
    ).scalar_subquery()
    again = (chosen_page.c.created_at, chosen_page.c.id)
    return select(chosen_page, changed.label("last_modified")).order_by(
        *(again if oldest_first else (column.desc() for column in again))
    )


def _conditions(wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    exact = {
        ingests.c.external_identifier: wanted.external_identifier,
        ingests.c.space: wanted.space,
        ingests.c.status: wanted.status.value if wanted.status else None,
        ingests.c.destination_id: wanted.destination,
        ingests.c.error_code: wanted.code,
    }
    yield from (column == value for column, value in exact.items() if value is not None)
    if wanted.created_after is not None:
        yield ingests.c.created_at > wanted.created_after
    if wanted.created_before is not None:
        yield ingests.c.created_at < wanted.created_before
    if wanted.stalled:
        yield ingests.c.id.in_(_stalled(None))


def _stalled(among: list[UUID] | None) -> Any:
    """The ingests with a stalled part, by the small indexes that hold nothing else."""
    parts = [select(table.c.ingest_id).where(table.c.stalled_at.is_not(None)) for table in (segments, replicas)]
    if among is not None:
        parts = [part.where(part.selected_columns.ingest_id.in_(among)) for part in parts]
    return union(*parts)


def _summary(row: Row[Any], locations: dict[str, Location], stalled: set[UUID]) -> IngestSummary:
    return IngestSummary(
        id=row.id,
        type=IngestType(row.ingest_type),
        status=IngestStatus(row.status),
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        source=locations[row.source_id],
        destination=locations[row.destination_id],
        error_code=row.error_code,
        retry_of=row.retry_of,
        created_at=row.created_at,
        last_modified=row.last_modified,
        stalled=row.id in stalled,
    )
