"""Adopting bags that already lie in a store: the request, each bag's registration, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.expression import bindparam

from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass, ImportState
from common.ledger import outbox
from common.ledger.tables import NOW, bag_locations, bag_versions, import_problems, imports, locations
from common.topology import IMPORTING, Lane, hint_for


class Adoption(StrEnum):
    """What became of one bag; the value is the column that counts it."""

    REGISTERED = "registered"
    KNOWN = "known"
    """The register has this bag version, with the same manifests."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewBag:
    """A bag version as it was found at a location."""

    bag: BagVersion
    location_id: str
    evidence_class: EvidenceClass
    info: Mapping[str, Any]
    algorithm: Algorithm
    file_count: int
    bytes: int
    pins: Mapping[str, str]
    depends_on: Sequence[int]
    """Numbers of the earlier versions that hold some of its files."""
    files_key: str
    files_sha256: str


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


def request_import(connection: Connection, *, location_id: str, prefix: str) -> tuple[ImportRecord, bool]:
    """Start an import, or name the one that walks the same prefix of the location now; the second is True for new.

    The location must exist.
    """
    # Two requests at once: the second waits here, and then sees the first one's import.
    connection.execute(
        select(locations.c.id).where(locations.c.id == location_id).with_for_update(key_share=True)
    ).one()
    if running := _running(connection, location_id, prefix):
        return _record(running), False
    row = connection.execute(
        insert(imports)
        .values(location_id=location_id, prefix=prefix, state=ImportState.WALKING.value)
        .returning(imports)
    ).one()
    outbox.post(connection, stage=IMPORTING, lane=Lane.DAILY, hint=hint_for(IMPORTING, row.id))
    return _record(row), True


def running_import(connection: Connection, *, location_id: str, prefix: str) -> int | None:
    """The id of the import that walks this prefix of the location now."""
    running = _running(connection, location_id, prefix)
    return None if running is None else int(running.id)


def _running(connection: Connection, location_id: str, prefix: str) -> Row[Any] | None:
    return connection.execute(
        select(imports).where(
            imports.c.location_id == location_id,
            imports.c.prefix == prefix,
            imports.c.state == ImportState.WALKING.value,
        )
    ).first()


def find_import(connection: Connection, import_id: int) -> ImportRecord | None:
    row = connection.execute(select(imports).where(imports.c.id == import_id)).one_or_none()
    return None if row is None else _record(row)


def _record(row: Row[Any]) -> ImportRecord:
    return ImportRecord(
        id=row.id,
        location_id=row.location_id,
        prefix=row.prefix,
        state=ImportState(row.state),
        registered=row.registered,
        known=row.known,
        refused=row.refused,
        error_code=row.error_code,
        last_error=row.last_error,
        created_at=row.created_at,
        finished_at=row.finished_at,
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


def register_bag(connection: Connection, new: NewBag) -> Adoption:
    """Add a bag version with its primary location, unless the register has it. What is registered never changes."""
    row_id = connection.execute(
        upsert(bag_versions)
        .values(
            space=new.bag.space.value,
            external_identifier=new.bag.external_identifier.value,
            version=new.bag.version.number,
            created_date=NOW,
            info=dict(new.info),
            checksum_algorithm=new.algorithm.value,
            file_count=new.file_count,
            bytes=new.bytes,
            pins=dict(new.pins),
            depends_on=list(new.depends_on),
            files_key=new.files_key,
            files_sha256=new.files_sha256,
        )
        .on_conflict_do_nothing()
        .returning(bag_versions.c.id)
    ).scalar_one_or_none()
    if row_id is None:
        return Adoption.KNOWN if registered_pins(connection, new.bag) == dict(new.pins) else Adoption.REFUSED
    connection.execute(
        insert(bag_locations).values(
            bag_version_id=row_id,
            location_id=new.location_id,
            evidence_class=new.evidence_class.value,
            role="primary",
        )
    )
    return Adoption.REGISTERED


def registered_pins(connection: Connection, bag: BagVersion) -> dict[str, str] | None:
    """SHA-256 by path of the manifest set of a registered bag version; None for one that is not registered."""
    return connection.execute(
        select(bag_versions.c.pins).where(
            bag_versions.c.space == bag.space.value,
            bag_versions.c.external_identifier == bag.external_identifier.value,
            bag_versions.c.version == bag.version.number,
        )
    ).scalar_one_or_none()


def report(connection: Connection, *, import_id: int, problems: Sequence[ImportProblem]) -> None:
    """Keep what is wrong. Twice the same: kept once."""
    rows = [
        {"import_id": import_id, "bag_path": p.bag_path, "code": p.code, "severity": p.severity, "message": p.message}
        for p in problems
    ]
    if rows:
        connection.execute(upsert(import_problems).on_conflict_do_nothing(), rows)


def note(connection: Connection, *, import_id: int, after: str, adoption: Adoption) -> None:
    """Count a bag and remember that the walk has come to `after`, both at once.

    The place only moves forward, so that a bag is counted once even where two workers walk for a while: the one whose
    lease ran out, and its successor.
    """
    place = func.coalesce(imports.c.progress["after"].astext, "").collate("C")
    counter = imports.c[adoption.value]
    connection.execute(
        update(imports)
        .where(imports.c.id == import_id, imports.c.state == ImportState.WALKING.value, place < after)
        .values({counter: counter + 1, imports.c.progress: _merged(after)})
    )


def _merged(after: str) -> Any:
    return imports.c.progress.op("||")(bindparam("place", {"after": after}, type_=JSONB))
