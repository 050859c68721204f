"""The replica and ingest behind a row, locked in the order that keeps workers of one bag from a deadlock."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from common.ledger.tables import imports, locations, replicas, segments
from common.topology import Kind, Lane, Stage


@dataclass(frozen=True, slots=True)
class Context:
    """What settling a replica or a segment has to know about its surroundings."""

    replica_id: int
    ingest_id: UUID
    bag_version_id: int
    location_id: str
    lane: Lane
    source: str
    """The source location's name, for people."""
    destination: str
    segment: int | None = None
    """The segment's number, for a segment."""

    def title(self, stage: Stage) -> str:
        return stage.title.format(source=self.source, destination=self.destination)


def read(connection: Connection, *, kind: Kind, row_id: int, lock: bool) -> Context | None:
    """The surroundings of a row; None for an import and for a check.

    With `lock`, the replica's row stays locked until the transaction ends. Everything that settles a segment locks
    its replica first and the segment second, so no two workers of one bag wait for each other.
    """
    if kind in ("import", "check"):
        return None
    number = None
    if kind == "segment":
        found = connection.execute(
            select(segments.c.replica_id, segments.c.number).where(segments.c.id == row_id)
        ).one()
        row_id, number = found.replica_id, found.number
    return _of_replica(connection, row_id, number=number, lock=lock)


def _of_replica(connection: Connection, replica_id: int, *, number: int | None, lock: bool) -> Context:
    source, destination = locations.alias("source"), locations.alias("destination")
    query = (
        select(
            replicas.c.ingest_id,
            replicas.c.bag_version_id,
            replicas.c.location_id,
            replicas.c.lane,
            func.coalesce(func.nullif(source.c.title, ""), source.c.id).label("source"),
            func.coalesce(func.nullif(destination.c.title, ""), destination.c.id).label("destination"),
        )
        .join(source, source.c.id == replicas.c.source_id)
        .join(destination, destination.c.id == replicas.c.location_id)
        .where(replicas.c.id == replica_id)
    )
    row = connection.execute(query.with_for_update(of=replicas) if lock else query).one()
    return Context(
        replica_id=replica_id,
        ingest_id=row.ingest_id,
        bag_version_id=row.bag_version_id,
        location_id=row.location_id,
        lane=Lane(row.lane),
        source=row.source,
        destination=row.destination,
        segment=number,
    )


def import_location(connection: Connection, import_id: int) -> str:
    """The id of the location that an import walks."""
    return str(connection.execute(select(imports.c.location_id).where(imports.c.id == import_id)).scalar_one())
