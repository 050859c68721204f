"""Which bag versions there are, and where each of them lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version
from common.ledger.tables import bag_locations, bag_versions

_ORDER = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)


def _of_copies(column: ColumnElement[str]) -> ColumnElement[Any]:
    """A value of each copy, the primary first."""
    at = bag_locations.c
    primary_first = aggregate_order_by(column, at.role != "primary", at.location_id)
    return select(func.array_agg(primary_first)).where(at.bag_version_id == bag_versions.c.id).scalar_subquery()


_FACTS = (
    bag_versions.c.created_date,
    bag_versions.c.created_text,
    bag_versions.c.file_count,
    bag_versions.c.bytes,
    bag_versions.c.depends_on,
    _of_copies(bag_locations.c.location_id).label("places"),
    _of_copies(bag_locations.c.evidence_class).label("evidence"),
)


@dataclass(frozen=True, slots=True)
class BagLine:
    """A bag version as a list has it."""

    bag: BagVersion
    created_date: datetime
    files: int
    bytes: int
    locations: tuple[str, ...]
    """Ids of the locations it is registered at, the primary first."""
    evidence: tuple[str, ...]
    """What each of these copies rests on, "E0" to "E4", in their order."""
    depends_on: tuple[int, ...] = ()
    """Numbers of the earlier versions that hold some of its files."""
    created_text: str | None = None
    """The date as the record that it was taken from writes it."""


def list_bags(
    connection: Connection, *, space: str | None, location_id: str | None, after: BagVersion | None, limit: int
) -> list[BagLine]:
    """At most `limit` by space, identifier and version, behind `after`; of a space, of a location, or of all."""
    at = bag_locations.c
    query = select(*_ORDER, *_FACTS).order_by(*_ORDER).limit(limit)
    if space is not None:
        query = query.where(bag_versions.c.space == space)
    if location_id is not None:
        here = (at.bag_version_id == bag_versions.c.id) & (at.location_id == location_id)
        query = query.where(select(at.location_id).where(here).exists())
    if after is not None:
        last = (after.space.value, after.external_identifier.value, after.version.number)
        query = query.where(tuple_(*_ORDER) > tuple_(*(literal(value) for value in last)))
    return _lines(connection, query)


def versions_of(
    connection: Connection, *, space: Space, external_identifier: ExternalIdentifier, before: Version | None = None
) -> list[BagLine]:
    """A bag's versions, newest first; only those below `before`."""
    query = select(*_ORDER, *_FACTS).order_by(bag_versions.c.version.desc())
    query = query.where(bag_versions.c.space == space.value)
    query = query.where(bag_versions.c.external_identifier == external_identifier.value)
    return _lines(connection, query if before is None else query.where(bag_versions.c.version < before.number))


def _lines(connection: Connection, query: Select[Any]) -> list[BagLine]:
    return [
        BagLine(
            bag=BagVersion.of(row.space, row.external_identifier, row.version),
            created_date=row.created_date,
            files=row.file_count,
            bytes=row.bytes,
            locations=tuple(row.places or ()),
            evidence=tuple(row.evidence or ()),
            depends_on=tuple(row.depends_on),
            created_text=row.created_text,
        )
        for row in connection.execute(query)
    ]
