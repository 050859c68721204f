"""How much a campaign would take from which location: one statement, however many bag versions there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, cast, exists, func, literal, select
from sqlalchemy.sql.selectable import Select

from common.domain.campaign import Order
from common.domain.naming import MAPPED_NAMES
from common.ledger.campaigns.selecting import Selection, limited, matching, of_ids
from common.ledger.tables import bag_locations, bag_versions, ingest_events


@dataclass(frozen=True, slots=True)
class Load:
    """What would be copied from one location."""

    source_id: str
    bags: int
    files: int
    bytes: int


def weigh(
    connection: Connection, *, selection: Selection, destination_id: str, order: Order, warm: Sequence[str]
) -> list[Load]:
    """By source, as a campaign chooses it: the first `warm` location with a copy that was read back, or the primary."""
    query = limited(matching(selection, destination_id), selection, order)
    return _weighed(connection, query, destination_id, warm)


def weigh_listed(connection: Connection, *, ids: list[int], destination_id: str, warm: Sequence[str]) -> list[Load]:
    """The same for listed bag versions, without those that the destination has."""
    there = _at(bag_versions.c.id, destination_id)
    return _weighed(connection, of_ids(ids).where(~there), destination_id, warm)


def _weighed(connection: Connection, query: Select[Any], destination_id: str, warm: Sequence[str]) -> list[Load]:
    chosen = query.subquery()
    home = bag_locations.alias("home")
    best = home.c.location_id
    source = func.coalesce(_warm(chosen.c.id, destination_id, warm), best) if warm else best
    rows = connection.execute(
        select(
            source.label("source"),
            func.count().label("bags"),
            func.sum(chosen.c.file_count).label("files"),
            func.sum(chosen.c.bytes).label("bytes"),
        )
        .join(home, (home.c.bag_version_id == chosen.c.id) & (home.c.role == "primary"))
        .group_by(source)
        .order_by(source)
    )
    return [Load(row.source, row.bags, int(row.files), int(row.bytes)) for row in rows]


def _warm(bag_version_id: Any, destination_id: str, warm: Sequence[str]) -> ColumnElement[Any]:
    copy, names = bag_locations.alias("copy"), cast(literal(list(warm), ARRAY(Text)), ARRAY(Text))
    mapped = exists().where(ingest_events.c.ingest_id == copy.c.ingest_id, ingest_events.c.detail.has_key(MAPPED_NAMES))
    return (
        select(copy.c.location_id)
        .where(
            copy.c.bag_version_id == bag_version_id,
            copy.c.location_id.in_(warm),
            copy.c.location_id != destination_id,
            copy.c.evidence_class >= "E3",
            ~mapped,
        )
        .order_by(func.array_position(names, copy.c.location_id))
        .limit(1)
        .scalar_subquery()
    )


def _at(bag_version_id: Any, location_id: str) -> ColumnElement[bool]:
    return exists().where(bag_locations.c.bag_version_id == bag_version_id, bag_locations.c.location_id == location_id)
