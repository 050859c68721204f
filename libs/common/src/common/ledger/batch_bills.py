"""Batches in the books: what each segment's request came to is written down once, when its batch has ended.

A batch's objects are held to be asked for when the store has tried all of them and its report names the others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from common.ledger.tables import segments
from common.ledger.thaw_tables import batch_requests


@dataclass(frozen=True, slots=True)
class Taken:
    """What a store took on of one segment's request."""

    segment_id: int
    family: str
    ingest_id: UUID
    tier: str
    days: int | None
    objects: dict[str, int]
    """By storage class."""
    bytes: dict[str, int]


def unbilled(connection: Connection, *, location_id: str, at_most: int = 200) -> list[Taken]:
    """Requests whose batches have ended and that are not in the books."""
    rows = connection.execute(
        select(batch_requests, segments.c.ingest_id)
        .join(segments, segments.c.id == batch_requests.c.segment_id)
        .where(
            batch_requests.c.location_id == location_id,
            batch_requests.c.state == "done",
            batch_requests.c.restores.is_(None),
        )
        .limit(at_most)
    )
    return [_taken(row) for row in rows]


def enter(connection: Connection, taken: Taken) -> bool:
    """Note that it is in the books; False: somebody else has entered it."""
    summed = {"objects": sum(taken.objects.values()), "bytes": sum(taken.bytes.values())}
    entered = connection.execute(
        update(batch_requests)
        .where(
            batch_requests.c.segment_id == taken.segment_id,
            batch_requests.c.family == taken.family,
            batch_requests.c.restores.is_(None),
        )
        .values(restores={"tier": taken.tier, "days": taken.days, **summed})
    )
    return bool(entered.rowcount)


def _taken(row: Any) -> Taken:
    objects, octets = Counter[str](), Counter[str]()
    for (key, _), (storage_class, size) in zip(row.objects, row.amounts, strict=False):
        if key not in row.failures:
            objects[storage_class] += 1
            octets[storage_class] += size
    return Taken(row.segment_id, row.family, row.ingest_id, row.tier, row.days, dict(objects), dict(octets))
