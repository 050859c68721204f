"""What steps add to the ledger, each kind of fact to its table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, singledispatch
from itertools import islice

from sqlalchemy import Connection, Integer, Select, bindparam, distinct, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.replica import EvidenceClass, SegmentState
from common.ledger.claims import Claim
from common.ledger.cold.recording import record_copy
from common.ledger.context import Context
from common.ledger.evidence import adding
from common.ledger.evidence.adding import Reader
from common.ledger.tables import bag_locations, bag_versions, evidence, replicas, segments
from common.outcome import Planned, Registered, SeenClasses, Verified

_BATCH = 8
"""Segments that are written with one statement: of a large bag each has 500 files, and half a MiB of them."""


@singledispatch
def write(fact: object, _connection: Connection, _claim: Claim, _around: Context, _build: str) -> None:
    """Add one fact, in the transaction that settles the claim."""
    raise TypeError(f"the ledger does not know how to write {type(fact).__name__}")


@write.register
def _planned(fact: Planned, connection: Connection, claim: Claim, around: Context, _build: str) -> None:
    plans = iter(fact.segments)
    while batch := list(islice(plans, _BATCH)):
        rows = [
            {
                "replica_id": claim.row_id,
                "ingest_id": around.ingest_id,
                "number": plan.number,
                "state": (SegmentState.COPYING if plan.readable else SegmentState.THAWING).value,
                "files": [file.to_json() for file in plan.files],
                "file_count": len(plan.files),
                "bytes": plan.bytes,
                "hinted": False,
            }
            for plan in batch
        ]
        connection.execute(insert(segments), rows)
    connection.execute(
        update(replicas)
        .where(replicas.c.id == claim.row_id)
        .values(file_count=fact.files, bytes=fact.bytes, pins=fact.pins)
    )


@write.register
def _verified(fact: Verified, connection: Connection, claim: Claim, around: Context, build: str) -> None:
    reader = Reader(
        bag_version_id=around.bag_version_id,
        location_id=around.location_id,
        ingest_id=around.ingest_id,
        segment_id=claim.row_id,
        worker=claim.worker,
        build=build,
        attempt=claim.attempt,
    )
    adding.add(connection, fact.evidence, reader)


@write.register
def _registered(fact: Registered, connection: Connection, _claim: Claim, around: Context, _build: str) -> None:
    """The last guard before a location enters a bag's record: as many proven files as the plan has, counted as rows."""
    _must_be_proven(connection, around)
    # First the bag, as imports do: who enters the same copy would wait for this one, and this one for the bag.
    bag = select(bag_versions.c.id).where(bag_versions.c.id == around.bag_version_id)
    connection.execute(bag.with_for_update(key_share=True))
    added = connection.execute(
        upsert(bag_locations)
        .values(
            bag_version_id=around.bag_version_id,
            location_id=around.location_id,
            evidence_class=fact.evidence_class.value,
            role="replica",
            ingest_id=around.ingest_id,
        )
        .on_conflict_do_nothing()
        .returning(bag_locations.c.location_id)
    ).one_or_none()
    if added:
        connection.execute(
            update(bag_versions)
            .where(bag_versions.c.id == around.bag_version_id)
            .values(revision=bag_versions.c.revision + 1)
        )


@write.register
def _seen(fact: SeenClasses, connection: Connection, _claim: Claim, around: Context, _build: str) -> None:
    record_copy(
        connection,
        bag_version_id=around.bag_version_id,
        location_id=fact.location.value,
        classes=fact.classes,
        seen_at=fact.seen_at,
    )


def _must_be_proven(connection: Connection, around: Context) -> None:
    """Raises RuntimeError, so that nothing is committed and the worker's log shows it: an earlier step is at fault."""
    planned = connection.execute(select(replicas.c.file_count).where(replicas.c.id == around.replica_id)).scalar_one()
    proven = connection.execute(
        select(func.count(distinct(evidence.c.path))).where(
            evidence.c.ingest_id == around.ingest_id,
            evidence.c.bag_version_id == around.bag_version_id,
            evidence.c.location_id == around.location_id,
            evidence.c.outcome == "match",
            evidence.c.evidence_class == EvidenceClass.READ_BACK.value,
        )
    ).scalar_one()
    if not planned or proven != planned:
        raise RuntimeError(
            f"replica {around.replica_id} is not registered: {proven} of {planned or 0} files are proven to be there"
        )


def none_in(connection: Connection, around: Context, states: Iterable[str]) -> bool:
    """True if no segment of the ingest is in any of these states."""
    return connection.execute(_any_in(tuple(states)), {"whose": around.ingest_id}).first() is None


@cache
def _any_in(states: tuple[str, ...]) -> Select[int]:
    """Made once for each stage: making it costs more than running it."""
    wanted = segments.c.state.in_(states)
    return select(literal_column("1", Integer)).where(segments.c.ingest_id == bindparam("whose"), wanted).limit(1)
