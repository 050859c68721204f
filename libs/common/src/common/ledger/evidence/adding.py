"""Writing evidence down, in the transaction that it decides about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Connection, Integer, Text, Uuid, bindparam, text

from common.ledger.columns import storable
from common.outcome import Evidence

# One document for all: a statement for each file costs as much again as reading a small one back.
_ADD = text("""
INSERT INTO evidence (
    bag_version_id, location_id, ingest_id, segment_id, check_id, worker, build, attempt, path, key, outcome,
    evidence_class, expected, measured, bytes, etag, version_id, reason, reads, doubts, started_at, microseconds)
SELECT :bag_version_id, :location_id, :ingest_id, :segment_id, :check_id, :worker, :build, :attempt, path, key, outcome,
       evidence_class, expected, measured, bytes, etag, version_id, reason, reads, doubts, started_at, microseconds
FROM json_to_recordset(:found) AS found (
    number int, path text, key text, outcome text, evidence_class text, expected jsonb, measured jsonb, bytes bigint,
    etag text, version_id text, reason text, reads int, doubts jsonb, started_at timestamptz, microseconds bigint)
ORDER BY number
""").bindparams(
    bindparam("bag_version_id", type_=BigInteger),
    bindparam("location_id", type_=Text),
    bindparam("ingest_id", type_=Uuid),
    bindparam("segment_id", type_=BigInteger),
    bindparam("check_id", type_=BigInteger),
    bindparam("worker", type_=Text),
    bindparam("build", type_=Text),
    bindparam("attempt", type_=Integer),
    bindparam("found", type_=JSON),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who read which copy. Either an ingest's segment or a check is what it was read for."""

    bag_version_id: int
    location_id: str
    worker: str
    build: str
    attempt: int
    ingest_id: UUID | None = None
    segment_id: int | None = None
    check_id: int | None = None


def add(connection: Connection, found: Sequence[Evidence], reader: Reader) -> None:
    """Add a row for each file, in this order."""
    if found:
        facts = [_facts(item) | {"number": number} for number, item in enumerate(found)]
        about = {name: getattr(reader, name) for name in Reader.__slots__}
        connection.execute(_ADD, {**about, "found": facts})


def _facts(item: Evidence) -> dict[str, Any]:
    return {
        "path": item.path,
        "key": item.key,
        "outcome": item.outcome,
        "evidence_class": item.evidence_class.value,
        "expected": {a.value: digest for a, digest in item.expected.items()},
        "measured": {a.value: digest for a, digest in item.measured.items()},
        "bytes": item.bytes,
        "etag": item.etag,
        "version_id": item.version_id,
        "reason": storable(item.reason),
        "reads": item.reads,
        "doubts": list(item.doubts),
        "started_at": item.started_at.isoformat(),
        "microseconds": int(item.seconds * 1_000_000),
    }
