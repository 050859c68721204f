"""The beginning of a unit of work: the claim, what the user reads about it, and the job it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import NoResultFound

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus
from common.domain.location import Location
from common.domain.segment import PlannedFile
from common.jobs import Attempt, CheckJob, Hold, ImportJob, Job, ReplicaJob, SegmentJob
from common.ledger import claims, context, events, import_parts, outbox, urgency, windows
from common.ledger.claims import Claim, Patience
from common.ledger.context import Context
from common.ledger.locations import location_of
from common.ledger.tables import bag_versions, fixity_checks, imports, ingests, locations, replicas, segments
from common.topology import AGGREGATING, PLANNING, Stage, hint_for

_JOBS: dict[str, type[Job]] = {
    "segment": SegmentJob,
    "replica": ReplicaJob,
    "import": ImportJob,
    "check": CheckJob,
}


@dataclass(frozen=True, slots=True)
class Begun:
    """A claim with what is known about its row, read in the claim's own transaction."""

    claim: Claim
    facts: Mapping[str, Any]
    others_wait: bool
    """Whether other segments of the replica wait for the place in the window that this one leaves."""

    def job(self, *, hold: Hold, build: str) -> Job:
        attempt = Attempt(number=self.claim.attempt, worker=self.claim.worker, build=build)
        return _JOBS[self.claim.kind](**self.facts, attempt=attempt, hold=hold)


def begin(connection: Connection, *, stage: Stage, row_id: int, worker: str, patience: Patience) -> Begun | None:
    """Claim the row and read its job, or those of a more urgent one; None where there is nothing to claim."""
    if begun := _more_urgent(connection, stage=stage, row_id=row_id, worker=worker, patience=patience):
        return begun
    # It may be locked by a look that comes to nothing. Were its hint dropped for that, it would come again much later.
    return _begin(connection, stage=stage, row_id=row_id, worker=worker, patience=patience, waits=True)


def _more_urgent(connection: Connection, *, stage: Stage, row_id: int, worker: str, patience: Patience) -> Begun | None:
    """In a savepoint: whatever is wrong with the other row is not this hint's to suffer for."""
    other = urgency.more_urgent(connection, stage=stage, row_id=row_id, patience=patience)
    if other is None:
        return None
    try:
        with connection.begin_nested():
            begun = _begin(connection, stage=stage, row_id=other, worker=worker, patience=patience)
    except (LookupError, TypeError, ValueError, NoResultFound):
        return None
    if begun is not None:
        around = context.read(connection, kind=stage.kind, row_id=row_id, lock=False)
        assert around is not None
        outbox.post(connection, stage=stage, lane=around.lane, hint=hint_for(stage, row_id))
    return begun


def _begin(
    connection: Connection, *, stage: Stage, row_id: int, worker: str, patience: Patience, waits: bool = False
) -> Begun | None:
    claim = claims.take(connection, stage=stage, row_id=row_id, worker=worker, patience=patience, waits=waits)
    if claim is None:
        return None
    around = context.read(connection, kind=stage.kind, row_id=row_id, lock=False)
    if around:
        _tell(connection, claim, around, patience=patience)
    read = {"segment": _segment, "replica": _replica, "import": _import, "check": _check}[stage.kind]
    facts = read(connection, row_id)
    return Begun(claim, facts, others_wait=facts.pop("others_wait", False))


def _tell(connection: Connection, claim: Claim, around: Context, *, patience: Patience) -> None:
    if claim.stage is PLANNING:
        connection.execute(_PROCESSING, {"begun": around.ingest_id})
    title = around.title(claim.stage)
    if claim.stage is not AGGREGATING:
        events.add(connection, around.ingest_id, f"{title} started", once=f"{claim.stage.name}:started")
    if claim.vanished:
        which = f"segment {around.segment}: " if around.segment else ""
        told = f"worker {claim.vanished} stopped answering, attempt {claim.attempt} of {patience.attempts}"
        events.add(connection, around.ingest_id, f"{title} retrying - {which}{told}")


_PROCESSING = (
    update(ingests)
    .where(ingests.c.id == bindparam("begun"), ingests.c.status == IngestStatus.ACCEPTED.value)
    .values(status=IngestStatus.PROCESSING.value)
)
_LOCATION = select(locations).where(locations.c.id == bindparam("named"))


def read_location(connection: Connection, location_id: str) -> Location:
    return location_of(connection.execute(_LOCATION, {"named": location_id}).one())


_ENDS = select(locations).where(locations.c.id.in_([bindparam("from_there"), bindparam("to_there")]))


def _ends(connection: Connection, row: Any) -> dict[str, Location]:
    """Where a replica is copied from and to."""
    ends = {"from_there": row.source_id, "to_there": row.location_id}
    found = {location.id: location for location in connection.execute(_ENDS, ends)}
    return {"source": location_of(found[row.source_id]), "destination": location_of(found[row.location_id])}


def _bag(row: Any) -> BagVersion:
    return BagVersion.of(row.space, row.external_identifier, row.version)


_BAG = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)


_SEGMENT = (
    select(
        segments.c.number,
        segments.c.ingest_id,
        segments.c.files,
        segments.c.progress,
        replicas.c.source_id,
        replicas.c.location_id,
        ingests.c.options,
        windows.waits_beside(segments).label("others_wait"),
        *_BAG,
    )
    .join(replicas, replicas.c.id == segments.c.replica_id)
    .join(ingests, ingests.c.id == segments.c.ingest_id)
    .join(bag_versions, bag_versions.c.id == replicas.c.bag_version_id)
    .where(segments.c.id == bindparam("row_id"))
)


def _segment(connection: Connection, row_id: int) -> dict[str, Any]:
    row = connection.execute(_SEGMENT, {"row_id": row_id}).one()
    return {
        "segment_id": row_id,
        "number": row.number,
        "ingest_id": row.ingest_id,
        "bag": _bag(row),
        "others_wait": row.others_wait,
        **_ends(connection, row),
        "files": [PlannedFile.from_json(facts) for facts in row.files],
        "options": row.options,
        "progress": row.progress,
    }


_REPLICA = (
    select(
        replicas.c.ingest_id,
        replicas.c.source_id,
        replicas.c.location_id,
        replicas.c.pins.label("planned"),
        replicas.c.progress,
        ingests.c.options,
        bag_versions.c.pins.label("registered"),
        *_BAG,
    )
    .join(ingests, ingests.c.id == replicas.c.ingest_id)
    .join(bag_versions, bag_versions.c.id == replicas.c.bag_version_id)
    .where(replicas.c.id == bindparam("row_id"))
)


def _replica(connection: Connection, row_id: int) -> dict[str, Any]:
    row = connection.execute(_REPLICA, {"row_id": row_id}).one()
    return {
        "replica_id": row_id,
        "ingest_id": row.ingest_id,
        "bag": _bag(row),
        **_ends(connection, row),
        "registered_pins": row.registered,
        "planned_pins": row.planned or {},
        "options": row.options,
        "progress": row.progress,
    }


def _check(connection: Connection, row_id: int) -> dict[str, Any]:
    query = select(fixity_checks.c.location_id, fixity_checks.c.progress, bag_versions.c.pins, *_BAG)
    of_bag = bag_versions.c.id == fixity_checks.c.bag_version_id
    row = connection.execute(query.join(bag_versions, of_bag).where(fixity_checks.c.id == row_id)).one()
    return {
        "check_id": row_id,
        "bag": _bag(row),
        "location": read_location(connection, row.location_id),
        "registered_pins": row.pins,
        "progress": row.progress,
    }


def _import(connection: Connection, row_id: int) -> dict[str, Any]:
    row = connection.execute(select(imports).where(imports.c.id == row_id)).one()
    return {
        "import_id": row_id,
        "location": read_location(connection, row.location_id),
        "prefix": row.prefix,
        "scope": import_parts.scope_of(row),
        "progress": row.progress,
    }
