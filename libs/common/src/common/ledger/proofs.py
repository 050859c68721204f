"""What the verifier found, file by file: evidence as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from common.ledger.tables import evidence


class Which(StrEnum):
    """Which files are asked for."""

    ALL = "all"
    BAD = "bad"
    """Missing, or with other bytes than the manifests say."""
    DOUBTED = "doubted"
    """Good at last, though an earlier read said otherwise: the bytes changed on their way."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One file at the destination, read back or found missing."""

    path: str
    key: str
    outcome: str
    evidence_class: str
    expected: Mapping[str, str]
    measured: Mapping[str, str]
    bytes: int
    etag: str | None
    version_id: str | None
    reason: str
    reads: int
    doubts: tuple[str, ...]
    """What each earlier read found wrong, oldest first."""
    started_at: datetime
    ended_at: datetime
    worker: str
    build: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files there is evidence for."""

    match: int
    bad: int
    doubted: int
    """Of the matching ones."""


_BAD = evidence.c.outcome != "match"
_DOUBTED = (evidence.c.outcome == "match") & (evidence.c.reads > 1)


def proofs(
    connection: Connection, *, ingest_id: UUID, which: Which = Which.ALL, after: str | None = None, limit: int
) -> list[Proof]:
    """A page of at most `limit` files by key in UTF-8 byte order, beginning behind the key `after`."""
    wanted: dict[Which, list[ColumnElement[bool]]] = {Which.ALL: [], Which.BAD: [_BAD], Which.DOUBTED: [_DOUBTED]}
    query = select(evidence).where(evidence.c.ingest_id == ingest_id, *wanted[which])
    if after is not None:
        query = query.where(evidence.c.key > after)
    rows = connection.execute(query.order_by(evidence.c.key, evidence.c.id).limit(limit))
    return [proof_of(row) for row in rows]


def tally(connection: Connection, *, ingest_id: UUID) -> Tally:
    row = connection.execute(
        select(
            func.count().filter(~_BAD).label("match"),
            func.count().filter(_BAD).label("bad"),
            func.count().filter(_DOUBTED).label("doubted"),
        ).where(evidence.c.ingest_id == ingest_id)
    ).one()
    return Tally(match=row.match, bad=row.bad, doubted=row.doubted)


def count_suspicious(connection: Connection, *, ingest_id: UUID) -> tuple[int, int]:
    """How many files are bad, and how many were doubted."""
    row = connection.execute(suspicious(literal(ingest_id))).one()
    return row.bad, row.doubted


def suspicious(ingest_id: ColumnElement[UUID]) -> Select[int, int]:
    """How many files are `bad`, and how many were `doubted`; cheap, however many are neither."""
    return (
        select(func.count().filter(_BAD).label("bad"), func.count().filter(_DOUBTED).label("doubted"))
        .select_from(evidence)
        .where(evidence.c.ingest_id == ingest_id, _BAD | (evidence.c.reads > 1))
    )


def proof_of(row: Any) -> Proof:
    """One row of `evidence`."""
    return Proof(
        path=row.path,
        key=row.key,
        outcome=row.outcome,
        evidence_class=row.evidence_class,
        expected=row.expected,
        measured=row.measured,
        bytes=row.bytes,
        etag=row.etag,
        version_id=row.version_id,
        reason=row.reason,
        reads=row.reads,
        doubts=tuple(row.doubts),
        started_at=row.started_at,
        ended_at=row.started_at + timedelta(microseconds=row.microseconds),
        worker=row.worker,
        build=row.build,
        attempt=row.attempt,
    )
