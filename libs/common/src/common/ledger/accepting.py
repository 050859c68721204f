"""Ingests that are new, with the replica, the hint and the note of who asked: one statement, however many they are.

Each of them was a round trip, and the sums of coverage (triggers) were kept for each alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, bindparam, text

from common.domain.ingest import IngestStatus, IngestType
from common.domain.replica import ReplicaState
from common.ledger.wishes import Wish
from common.messages import encode
from common.topology import PLANNING, Lane, hint_for

LANE = Lane.BACKFILL
_MARK = 8_070_605_040_302_010
"""Stands where a replica's id goes."""
_CONSTANTS = {
    "kind": IngestType.BACKFILL.value,
    "accepted": IngestStatus.ACCEPTED.value,
    "planning": ReplicaState.PLANNING.value,
    "lane": LANE.value,
    "queue": PLANNING.queue(LANE),
    "hint": encode(hint_for(PLANNING, _MARK)).decode().replace(str(_MARK), "%s"),
}
# A document, not arrays: PostgreSQL takes any document for a hundred rows and so plans the statement once.
_ACCEPT = text("""
WITH asked AS (
    SELECT * FROM json_to_recordset(:asked) AS asked (
        number int, id uuid, who text, space text, name text, version int, bag bigint, source text, destination text,
        callback text, options jsonb, retry_of uuid, priority smallint, deadline timestamptz)
), accepted AS (
    INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,
                         destination_id, status, callback_url, callback_status, options, retry_of)
    SELECT id, :kind, space, name, version, bag, source, destination, :accepted, callback,
           CASE WHEN callback IS NOT NULL THEN 'pending' END, options, retry_of
    FROM asked
    ORDER BY number
    ON CONFLICT (bag_version_id, destination_id) WHERE status IN ('accepted', 'processing') DO NOTHING
    RETURNING id, created_at
), opened AS (
    INSERT INTO replicas (bag_version_id, location_id, source_id, ingest_id, lane, state, priority, deadline)
    SELECT bag, destination, source, id, :lane, :planning, priority, deadline
    FROM asked JOIN accepted USING (id)
    WHERE NOT EXISTS (SELECT FROM bag_locations WHERE bag_version_id = bag AND location_id = destination)
    ORDER BY number
    ON CONFLICT (bag_version_id, location_id) DO NOTHING
    RETURNING id, ingest_id
), hinted AS (
    INSERT INTO outbox (queue, body)
    SELECT :queue, format(:hint, opened.id) FROM opened JOIN asked ON asked.id = opened.ingest_id
    ORDER BY number
), told AS (
    INSERT INTO actions (who, what, subject, why, detail)
    SELECT who, 'ingest requested', 'ingest:' || id, '', '{}'
    FROM asked JOIN accepted USING (id)
    WHERE who IS NOT NULL
    ORDER BY number
)
SELECT accepted.id, accepted.created_at, opened.id AS replica_id
FROM accepted LEFT JOIN opened ON opened.ingest_id = accepted.id
""").bindparams(bindparam("asked", type_=JSON))


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish on its way to become an ingest."""

    wish: Wish
    ingest_id: UUID
    """The one that it gets if none runs."""
    who: str | None = None
    """The caller to be noted; None where what they did is noted as something else."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A wish that got an ingest of its own."""

    at: datetime
    replica_id: int | None
    """None: there is a replica of an earlier ingest, or nothing to do."""


def in_order(asked: Iterable[Asked]) -> list[Asked]:
    """Older versions before those that may need them; and two transactions wait for each other in one order."""

    def place(one: Asked) -> tuple[str, str, int, str]:
        bag = one.wish.bag.bag
        return bag.space.value, bag.external_identifier.value, bag.version.number, one.wish.destination.id.value

    return sorted(asked, key=place)


def accept(connection: Connection, asked: Iterable[Asked]) -> dict[UUID, Accepted]:
    """By id the ingests that were written; the others found one that runs, which waits for its transaction to end."""
    facts = {**_CONSTANTS, "asked": [_facts(one) | {"number": number} for number, one in enumerate(in_order(asked))]}
    return {row.id: Accepted(row.created_at, row.replica_id) for row in connection.execute(_ACCEPT, facts)}


def _facts(asked: Asked) -> dict[str, Any]:
    wish = asked.wish
    bag = wish.bag.bag
    return {
        "id": str(asked.ingest_id),
        "who": asked.who,
        "space": bag.space.value,
        "name": bag.external_identifier.value,
        "version": bag.version.number,
        "bag": wish.bag.id,
        "source": wish.source.id.value,
        "destination": wish.destination.id.value,
        "callback": wish.callback_url,
        "options": dict(wish.options),
        "retry_of": str(wish.retry_of) if wish.retry_of else None,
        "priority": wish.priority,
        "deadline": wish.options.get("deadline"),
    }
