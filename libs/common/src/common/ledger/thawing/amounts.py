"""How much lies at a location, by the register."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from common.ledger.tables import bag_locations, bag_versions, ingests


@dataclass(frozen=True, slots=True)
class Lying:
    """Bag versions, and the files that they hold there."""

    bags: int
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A bag version as the register has it."""

    files: int
    bytes: int


def amount_of(connection: Connection, *, ingest_id: UUID) -> Registered:
    """What the ingest is about."""
    row = connection.execute(
        select(bag_versions.c.file_count, bag_versions.c.bytes)
        .join(ingests, ingests.c.bag_version_id == bag_versions.c.id)
        .where(ingests.c.id == ingest_id)
    ).one()
    return Registered(row.file_count, row.bytes)


def lying_at(
    connection: Connection, *, location_id: str, space: str | None, bag: tuple[str, str, int | None] | None
) -> Lying:
    """Of a whole location, of a space there, or of a bag with all its versions or one."""
    query = (
        select(
            func.count().label("bags"),
            func.coalesce(func.sum(bag_versions.c.file_count), 0).label("objects"),
            func.coalesce(func.sum(bag_versions.c.bytes), 0).label("bytes"),
        )
        .join(bag_locations, bag_locations.c.bag_version_id == bag_versions.c.id)
        .where(bag_locations.c.location_id == location_id)
    )
    if space is not None:
        query = query.where(bag_versions.c.space == space)
    if bag is not None:
        name, identifier, version = bag
        query = query.where(bag_versions.c.space == name, bag_versions.c.external_identifier == identifier)
        query = query if version is None else query.where(bag_versions.c.version == version)
    row = connection.execute(query).one()
    return Lying(row.bags, int(row.objects), int(row.bytes))
