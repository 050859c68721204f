"""The replica and ingest behind a row, locked in the order that keeps workers of one bag from a deadlock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, func, select

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
    row = connection.execute(_surroundings(kind, lock), {"row_id": row_id}).one()
    return Context(
        replica_id=row.id,
        ingest_id=row.ingest_id,
        bag_version_id=row.bag_version_id,
        location_id=row.location_id,
        lane=Lane(row.lane),
        source=row.source,
        destination=row.destination,
        segment=row.number if kind == "segment" else None,
    )


@cache
def _surroundings(kind: Kind, lock: bool) -> Select[Any]:
    """Made once: every unit of work asks for it, and making it takes longer than its answer."""
    source, destination = locations.alias("source"), locations.alias("destination")
    query = (
        select(
            replicas.c.id,
            replicas.c.ingest_id,
            replicas.c.bag_version_id,
            replicas.c.location_id,
            replicas.c.lane,
            func.coalesce(func.nullif(source.c.title, ""), source.c.id).label("source"),
            func.coalesce(func.nullif(destination.c.title, ""), destination.c.id).label("destination"),
        )
        .join(source, source.c.id == replicas.c.source_id)
        .join(destination, destination.c.id == replicas.c.location_id)
    )
    if kind == "segment":
        query = query.add_columns(segments.c.number).join(segments, segments.c.replica_id == replicas.c.id)
    row = segments if kind == "segment" else replicas
    query = query.where(row.c.id == bindparam("row_id"))
    return query.with_for_update(of=replicas) if lock else query


def import_location(connection: Connection, import_id: int) -> str:
    """The id of the location that an import walks."""
    return str(connection.execute(select(imports.c.location_id).where(imports.c.id == import_id)).scalar_one())
