"""Asking for a replica: the ingest, its replica row and the first hint, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.ingest import IngestStatus, IngestType
from common.domain.location import Location
from common.domain.replica import ReplicaState
from common.errors import LedgerUnavailable
from common.ledger import callbacks, events, outbox
from common.ledger.bags import BagRecord
from common.ledger.failing import OPEN_INGESTS
from common.ledger.ingests import NO_PROGRESS, IngestRecord
from common.ledger.tables import NOW, bag_locations, ingests, replicas
from common.topology import PLANNING, Lane, hint_for

_TRIES = 5
_RUNNING = text("status IN ('accepted', 'processing')")
_LANE = Lane.BACKFILL
# Statements of every request are made once: to build one costs more than to run it.
_ACCEPT = (
    insert(ingests)
    .on_conflict_do_nothing(index_elements=["bag_version_id", "destination_id"], index_where=_RUNNING)
    .returning(ingests.c.created_at)
)
_REGISTERED = select(bag_locations.c.location_id).where(
    bag_locations.c.bag_version_id == bindparam("bag"), bag_locations.c.location_id == bindparam("place")
)
_FACTS = ("bag_version_id", "location_id", "source_id", "ingest_id", "lane", "state", "priority", "deadline")
_IS_THERE = exists().where(
    bag_locations.c.bag_version_id == bindparam("bag_version_id"),
    bag_locations.c.location_id == bindparam("location_id"),
)
_NEW_REPLICA = (
    insert(replicas)
    .from_select(_FACTS, select(*(bindparam(name, type_=replicas.c[name].type) for name in _FACTS)).where(~_IS_THERE))
    .on_conflict_do_nothing(index_elements=["bag_version_id", "location_id"])
    .returning(replicas.c.id)
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A copy of a bag version that somebody asks for, checked against the register."""

    bag: BagRecord
    source: Location
    destination: Location
    options: Mapping[str, Any]
    callback_url: str | None = None
    retry_of: UUID | None = None
    """The failed ingest that this one does again."""

    @property
    def priority(self) -> int:
        """As `options` has it, so that a retry of the ingest has it too."""
        return int(self.options.get("priority", 0))

    @property
    def deadline(self) -> datetime | None:
        text = self.options.get("deadline")
        return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """The ingest that carries out a wish."""

    ingest_id: UUID
    created: bool
    """False: it was there already and runs."""
    begun: IngestRecord | None = None
    """The ingest, where it is nothing but what was asked for: nobody need read it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a wish stands before it is asked for."""

    registered: bool
    running: UUID | None

    @property
    def would(self) -> str:
        """join (the running ingest), nothing (it is there) or create."""
        if self.running:
            return "join"
        return "nothing" if self.registered else "create"


def standing(connection: Connection, wish: Wish) -> Standing:
    """What asking for the wish would come to now."""
    return Standing(_registered(connection, wish), _running(connection, wish))


def request_backfill(connection: Connection, *, wish: Wish, ingest_id: UUID) -> Answer:
    """Start an ingest for the wish, or name the one that runs for the same bag version and destination.

    However many ask at once, the unique index on running ingests lets one of them in. A bag version that is
    registered at the destination gets an ingest that has succeeded already. Whoever gives a callback is called back,
    also by the ingest that ran already.
    """
    for _ in range(_TRIES):
        if accepted_at := _accept(connection, wish, ingest_id):
            started = _start(connection, wish, ingest_id)
            return Answer(ingest_id, created=True, begun=_begun(wish, ingest_id, accepted_at) if started else None)
        # Between the two statements the running ingest may end; then ours gets in at the next try.
        if running := _running(connection, wish):
            if wish.callback_url:
                callbacks.owe(connection, ingest_id=running, url=wish.callback_url)
            return Answer(running, created=False)
    raise LedgerUnavailable(f"ingests of {wish.bag.bag} to {wish.destination.id} end as fast as they begin")


def _accept(connection: Connection, wish: Wish, ingest_id: UUID) -> datetime | None:
    """When it was accepted; None where another one runs."""
    bag = wish.bag.bag
    facts = {
        "id": ingest_id,
        "ingest_type": IngestType.BACKFILL.value,
        "space": bag.space.value,
        "external_identifier": bag.external_identifier.value,
        "version": bag.version.number,
        "bag_version_id": wish.bag.id,
        "source_id": wish.source.id.value,
        "destination_id": wish.destination.id.value,
        "status": IngestStatus.ACCEPTED.value,
        "callback_url": wish.callback_url,
        "callback_status": "pending" if wish.callback_url else None,
        "options": dict(wish.options),
        "retry_of": wish.retry_of,
    }
    return connection.execute(_ACCEPT, facts).scalar_one_or_none()


def _begun(wish: Wish, ingest_id: UUID, created_at: datetime) -> IngestRecord:
    return IngestRecord(
        id=ingest_id,
        type=IngestType.BACKFILL,
        status=IngestStatus.ACCEPTED,
        bag=wish.bag.bag,
        source=wish.source,
        destination=wish.destination,
        options=dict(wish.options),
        callback_url=wish.callback_url,
        callback_status="pending" if wish.callback_url else None,
        error_code=None,
        created_at=created_at,
        events=(),
        progress=NO_PROGRESS,
        retry_of=wish.retry_of,
    )


def _running(connection: Connection, wish: Wish) -> UUID | None:
    return connection.execute(
        select(ingests.c.id).where(
            ingests.c.bag_version_id == wish.bag.id,
            ingests.c.destination_id == wish.destination.id.value,
            ingests.c.status.in_(OPEN_INGESTS),
        )
    ).scalar_one_or_none()


def _start(connection: Connection, wish: Wish, ingest_id: UUID) -> bool:
    """False where there was nothing to do.

    From here on no other ingest of this bag version and destination runs, so nothing here can change under us.
    """
    replica_id = _new_replica(connection, wish, ingest_id)
    if replica_id is None and _registered(connection, wish):
        _nothing_to_do(connection, wish, ingest_id)
        return False
    if replica_id is None:
        replica_id = _reopen(connection, wish, ingest_id)
    outbox.post(connection, stage=PLANNING, lane=_LANE, hint=hint_for(PLANNING, replica_id))
    return True


def _registered(connection: Connection, wish: Wish) -> bool:
    wanted = {"bag": wish.bag.id, "place": wish.destination.id.value}
    return connection.execute(_REGISTERED, wanted).one_or_none() is not None


def _nothing_to_do(connection: Connection, wish: Wish, ingest_id: UUID) -> None:
    connection.execute(
        update(ingests).where(ingests.c.id == ingest_id).values(status=IngestStatus.SUCCEEDED.value, finished_at=NOW)
    )
    said = f"Register succeeded (completed) - {wish.bag.bag} is already registered at {wish.destination.name}"
    events.add(connection, ingest_id, said)


def _new_replica(connection: Connection, wish: Wish, ingest_id: UUID) -> int | None:
    """None where there is one, or the bag version is registered there."""
    facts = {
        "bag_version_id": wish.bag.id,
        "location_id": wish.destination.id.value,
        "source_id": wish.source.id.value,
        "ingest_id": ingest_id,
        "lane": _LANE.value,
        "state": ReplicaState.PLANNING.value,
        "priority": wish.priority,
        "deadline": wish.deadline,
    }
    return connection.execute(_NEW_REPLICA, facts).scalar_one_or_none()


def _reopen(connection: Connection, wish: Wish, ingest_id: UUID) -> int:
    """Plan a failed replica again, from nothing but its fence: late workers of the failed ingest stay shut out."""
    replica_id: int = connection.execute(
        update(replicas)
        .where(
            replicas.c.bag_version_id == wish.bag.id,
            replicas.c.location_id == wish.destination.id.value,
            replicas.c.state == ReplicaState.FAILED.value,
        )
        .values(
            state=ReplicaState.PLANNING.value,
            ingest_id=ingest_id,
            source_id=wish.source.id.value,
            lane=_LANE.value,
            priority=wish.priority,
            deadline=wish.deadline,
            attempts=0,
            progress={},
            pins=None,
            file_count=None,
            bytes=None,
            error_code=None,
            last_error=None,
            claimed_by=None,
            lease_until=None,
            not_before=NOW,
            due_at=NOW,
        )
        .returning(replicas.c.id)
    ).scalar_one()
    return replica_id
