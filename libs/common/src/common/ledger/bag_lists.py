"""Which bag versions there are, and where each of them lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from common.domain.bag import BagVersion
from common.ledger.tables import bag_locations, bag_versions

_ORDER = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)


@dataclass(frozen=True, slots=True)
class BagLine:
    """A bag version as a list has it."""

    bag: BagVersion
    created_date: datetime
    files: int
    bytes: int
    locations: tuple[str, ...]
    """Ids of the locations it is registered at, the primary first."""


def list_bags(
    connection: Connection, *, space: str | None, location_id: str | None, after: BagVersion | None, limit: int
) -> list[BagLine]:
    """At most `limit` by space, identifier and version, behind `after`; of a space, of a location, or of all."""
    at = bag_locations.c
    primary_first = aggregate_order_by(at.location_id, at.role != "primary", at.location_id)
    places = select(func.array_agg(primary_first)).where(at.bag_version_id == bag_versions.c.id).scalar_subquery()
    columns = (bag_versions.c.created_date, bag_versions.c.file_count, bag_versions.c.bytes, places.label("places"))
    query = select(*_ORDER, *columns).order_by(*_ORDER).limit(limit)
    if space is not None:
        query = query.where(bag_versions.c.space == space)
    if location_id is not None:
        here = (at.bag_version_id == bag_versions.c.id) & (at.location_id == location_id)
        query = query.where(select(at.location_id).where(here).exists())
    if after is not None:
        last = (after.space.value, after.external_identifier.value, after.version.number)
        query = query.where(tuple_(*_ORDER) > tuple_(*(literal(value) for value in last)))
    return [
        BagLine(
            bag=BagVersion.of(row.space, row.external_identifier, row.version),
            created_date=row.created_date,
            files=row.file_count,
            bytes=row.bytes,
            locations=tuple(row.places or ()),
        )
        for row in connection.execute(query)
    ]
