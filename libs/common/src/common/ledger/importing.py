"""Adopting bags that already lie in a store: the request, how far it is, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.replica import ImportState
from common.ledger import outbox
from common.ledger.tables import import_problems, imports, locations
from common.topology import IMPORTING, Lane, hint_for


class Adoption(StrEnum):
    """What became of one bag; the value is the column that counts it."""

    REGISTERED = "registered"
    KNOWN = "known"
    """The register has this bag version, with the same manifests."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Something wrong with one bag, or with something that is none."""

    bag_path: str
    """Below the location's prefix."""
    code: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """An import as the API answers for it."""

    id: int
    location_id: str
    prefix: str
    state: ImportState
    registered: int
    known: int
    refused: int
    error_code: str | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
    registers: bool = True
    """False: it only looks, and says what it would do."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """What it reads, if not the store's own lists."""
    parts: int = 0
    """Into how many further parts the work was cut that have not ended."""
    thawing: int = 0
    """How many of these wait for tag files to thaw."""


@dataclass(frozen=True, slots=True)
class ImportWish:
    """What somebody wants imported."""

    location_id: str
    """It must exist."""
    prefix: str = ""
    registers: bool = True
    """False: a look that changes nothing, and tells what would be registered."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """What is read instead of the store's own lists."""


def request_import(connection: Connection, wish: ImportWish) -> tuple[ImportRecord, bool]:
    """Start an import, or name the one that does the very same now; the second is True for new."""
    # Two requests at once: the second waits here, and then sees the first one's import.
    connection.execute(
        select(locations.c.id).where(locations.c.id == wish.location_id).with_for_update(key_share=True)
    ).one()
    if running := _running(connection, wish):
        return _record(running), False
    row = connection.execute(
        insert(imports).values(**asdict(wish), state=ImportState.WALKING.value).returning(imports)
    ).one()
    outbox.post(connection, stage=IMPORTING, lane=Lane.DAILY, hint=hint_for(IMPORTING, row.id))
    return _record(row), True


def running_import(connection: Connection, wish: ImportWish) -> int | None:
    """The id of the import that does this now."""
    running = _running(connection, wish)
    return None if running is None else int(running.id)


def _running(connection: Connection, wish: ImportWish) -> Row[Any] | None:
    return connection.execute(
        select(imports).where(
            *(imports.c[name] == value for name, value in asdict(wish).items()),
            imports.c.parent_id.is_(None),
            imports.c.state == ImportState.WALKING.value,
        )
    ).first()


def find_import(connection: Connection, import_id: int) -> ImportRecord | None:
    """The import, its parts counted in; None where there is none. A part is no import of its own."""
    query = select(imports).where(imports.c.id == import_id, imports.c.parent_id.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _record(row, _parts(connection, import_id))


def _parts(connection: Connection, import_id: int) -> Any:
    counters = [func.coalesce(func.sum(imports.c[adoption.value]), 0).label(adoption.value) for adoption in Adoption]
    is_open = imports.c.state.in_([state.value for state in ImportState if not state.terminal])
    is_thawing = imports.c.state == ImportState.WARMING.value
    counts = func.count().filter(is_open).label("parts"), func.count().filter(is_thawing).label("thawing")
    return connection.execute(select(*counters, *counts).where(imports.c.parent_id == import_id)).one()


def _record(row: Row[Any], parts: Any = None) -> ImportRecord:
    return ImportRecord(
        id=row.id,
        location_id=row.location_id,
        prefix=row.prefix,
        state=ImportState(row.state),
        registered=row.registered + (int(parts.registered) if parts else 0),
        known=row.known + (int(parts.known) if parts else 0),
        refused=row.refused + (int(parts.refused) if parts else 0),
        error_code=row.error_code,
        last_error=row.last_error,
        created_at=row.created_at,
        finished_at=row.finished_at,
        registers=row.registers,
        source=row.source,
        parts=parts.parts if parts else 0,
        thawing=parts.thawing if parts else 0,
    )


def problems_of(connection: Connection, import_id: int, *, after: int, limit: int) -> list[tuple[int, ImportProblem]]:
    """A page of an import's problems with their numbers, in the order they were found, beginning behind `after`."""
    rows = connection.execute(
        select(import_problems)
        .where(import_problems.c.import_id == import_id, import_problems.c.id > after)
        .order_by(import_problems.c.id)
        .limit(limit)
    )
    return [(row.id, ImportProblem(row.bag_path, row.code, row.severity, row.message)) for row in rows]


def report(connection: Connection, *, import_id: int, problems: Sequence[ImportProblem]) -> None:
    """Keep what is wrong. Twice the same: kept once."""
    rows = [
        {"import_id": import_id, "bag_path": p.bag_path, "code": p.code, "severity": p.severity, "message": p.message}
        for p in problems
    ]
    if rows:
        connection.execute(upsert(import_problems).on_conflict_do_nothing(), rows)
