"""Asking for a replica: the ingest, its replica row and the first hint, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, text, update

from common.domain.ingest import IngestStatus, IngestType
from common.domain.replica import ReplicaState
from common.errors import LedgerUnavailable
from common.ledger import callbacks, events, outbox
from common.ledger.accepting import LANE, Accepted, Asked, accept, in_order
from common.ledger.ingests import NO_PROGRESS, IngestRecord
from common.ledger.tables import NOW, bag_locations, ingests, replicas
from common.ledger.wishes import Wish
from common.topology import PLANNING, hint_for

_TRIES = 5
# Statements of every request are made once: to build one costs more than to run it.
_RUNNING = select(ingests.c.id).where(
    ingests.c.bag_version_id == bindparam("bag"),
    ingests.c.destination_id == bindparam("place"),
    text("status IN ('accepted', 'processing')"),
)
_REGISTERED = select(bag_locations.c.location_id).where(
    bag_locations.c.bag_version_id == bindparam("bag"), bag_locations.c.location_id == bindparam("place")
)


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
    """As `request_backfills`, for one; nobody is noted to have asked."""
    return request_backfills(connection, [Asked(wish, ingest_id)])[0]


def request_backfills(connection: Connection, asked: Sequence[Asked]) -> list[Answer]:
    """Start an ingest for each wish, or name the one that runs for the same bag version and destination.

    However many ask at once, the unique index on running ingests lets one of them in. A bag version that is
    registered at the destination gets an ingest that has succeeded already. Whoever gives a callback is called back,
    also by the ingest that ran already.
    """
    accepted = accept(connection, asked)
    answers = {one.ingest_id: _answered(connection, one, accepted.get(one.ingest_id)) for one in in_order(asked)}
    return [answers[one.ingest_id] for one in asked]


def _answered(connection: Connection, asked: Asked, accepted: Accepted | None) -> Answer:
    wish = asked.wish
    for _ in range(_TRIES):
        if accepted:
            started = accepted.replica_id is not None or _start_again(connection, wish, asked.ingest_id)
            begun = _begun(wish, asked.ingest_id, accepted.at) if started else None
            return Answer(asked.ingest_id, created=True, begun=begun)
        # Between the two statements the running ingest may end; then ours gets in at the next try.
        if running := _running(connection, wish):
            if wish.callback_url:
                callbacks.owe(connection, ingest_id=running, url=wish.callback_url)
            return Answer(running, created=False)
        accepted = accept(connection, [asked]).get(asked.ingest_id)
    raise LedgerUnavailable(f"ingests of {wish.bag.bag} to {wish.destination.id} end as fast as they begin")


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
    wanted = {"bag": wish.bag.id, "place": wish.destination.id.value}
    return connection.execute(_RUNNING, wanted).scalar_one_or_none()


def _start_again(connection: Connection, wish: Wish, ingest_id: UUID) -> bool:
    """Where there is a replica already, or the copy itself. False: there was nothing to do.

    From here on no other ingest of this bag version and destination runs, so nothing here can change under us.
    """
    if _registered(connection, wish):
        _nothing_to_do(connection, wish, ingest_id)
        return False
    replica_id = _reopen(connection, wish, ingest_id)
    outbox.post(connection, stage=PLANNING, lane=LANE, hint=hint_for(PLANNING, replica_id))
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
            lane=LANE.value,
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
