"""What people may do to an ingest: end it, or have it go on. Fenced like everything that workers do.

The replica's row is locked before anything is decided, as in every transaction that settles work: either the
worker's result is committed before, or its fence is out of date and it commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus
from common.domain.replica import ReplicaState
from common.errors import AlreadyFinished, NothingToRetry
from common.ledger import actions, context, dead_letters, events, failing
from common.ledger.bags import find_bag
from common.ledger.beginning import read_location
from common.ledger.claims import Patience
from common.ledger.context import Context
from common.ledger.hurrying import hurry
from common.ledger.requesting import request_backfill
from common.ledger.spending import Spent, spent
from common.ledger.tables import ingests, replicas
from common.ledger.wishes import Wish


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody's will, and their reason. Neither may be empty."""

    who: str
    """A caller's id."""
    why: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A way for a person to end an ingest."""

    what: str
    """As `actions` has it."""
    code: str
    said: str


CANCEL = Ending(what="ingest cancelled", code="cancelled", said="Cancelled")
"""Not wanted any more."""
FAIL = Ending(what="ingest failed by hand", code="failed_by_operator", said="Failed by hand")
"""Will not come right: the manual way out."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The ingest that goes on with the work."""

    ingest_id: UUID
    created: bool
    """True for a new ingest; False: one that runs already."""
    hurried: int = 0
    """Rows that waited and are due at once."""


def end(connection: Connection, *, ingest_id: UUID, ending: Ending, decision: Decision) -> Spent | None:
    """End an ingest that has not finished; returns what it had asked for and done by then. None: no such ingest.

    Nobody who works on it commits anything from now on; they notice at their next checkpoint. Objects that lie at
    the destination stay there, unregistered. Raises AlreadyFinished.
    """
    ingest = locked(connection, ingest_id)
    if ingest is None:
        return None
    must_run(ingest)
    had = spent(connection, ingest_id=ingest_id)
    surroundings = around(connection, ingest)
    detail = {"code": ending.code, "reason": decision.why, "who": decision.who, "spent": had.document()}
    failing.close(connection, ingest_id=ingest_id, around=surroundings, code=ending.code, why=decision.why)
    events.add(connection, ingest_id, f"{ending.said} by {decision.who} - {decision.why}", detail=detail)
    _record(connection, decision, what=ending.what, ingest_id=ingest_id, detail={"spent": had.document()})
    return had


def retry(
    connection: Connection, *, ingest_id: UUID, new_id: UUID, decision: Decision, patience: Patience
) -> Retried | None:
    """Have the work go on. None: no such ingest.

    What has failed stays so: a new ingest does it again, and recognises what is copied. If that bag version is on
    its way to that destination already, that ingest is the answer. Of one that runs, rows that wait are due at once.
    Raises AlreadyFinished for one that succeeded, NothingToRetry where every row is being worked on.
    """
    ingest = _read(connection, ingest_id)
    if ingest is None:
        return None
    if ingest.status == IngestStatus.FAILED.value:
        # Without the replica's lock: who asks for an ingest writes that first and the replica second, and so must we.
        answer = _again(connection, ingest, new_id, decision)
    else:
        answer = _hurry(connection, ingest_id, decision, patience=patience)
    done = {"as": str(answer.ingest_id), "created": answer.created, "hurried": answer.hurried}
    _record(connection, decision, what="ingest retried", ingest_id=ingest_id, detail=done)
    return answer


def _record(
    connection: Connection, decision: Decision, *, what: str, ingest_id: UUID, detail: Mapping[str, Any]
) -> None:
    subject = f"ingest:{ingest_id}"
    actions.record(connection, who=decision.who, what=what, subject=subject, why=decision.why, detail=detail)


def _read(connection: Connection, ingest_id: UUID) -> Row[Any] | None:
    return connection.execute(select(ingests).where(ingests.c.id == ingest_id)).one_or_none()


def locked(connection: Connection, ingest_id: UUID) -> Row[Any] | None:
    """The ingest, as it is once its replica's row is locked."""
    found = _read(connection, ingest_id)
    if found is None:
        return None
    connection.execute(
        select(replicas.c.id)
        .where(replicas.c.bag_version_id == found.bag_version_id, replicas.c.location_id == found.destination_id)
        .with_for_update()
    )
    return _read(connection, ingest_id)


def must_run(ingest: Row[Any]) -> None:
    """Raises AlreadyFinished."""
    if IngestStatus(ingest.status).terminal:
        raise AlreadyFinished(f"Ingest {ingest.id} has {ingest.status}, and that is final.")


def around(connection: Connection, ingest: Row[Any]) -> Context | None:
    """The replica that the ingest works on; None where it has none (any more)."""
    replica_id = connection.execute(
        select(replicas.c.id).where(
            replicas.c.bag_version_id == ingest.bag_version_id,
            replicas.c.location_id == ingest.destination_id,
            replicas.c.ingest_id == ingest.id,
            replicas.c.state != ReplicaState.REGISTERED.value,
        )
    ).scalar_one_or_none()
    return None if replica_id is None else context.read(connection, kind="replica", row_id=replica_id, lock=True)


def _again(connection: Connection, ingest: Row[Any], new_id: UUID, decision: Decision) -> Retried:
    answer = request_backfill(connection, wish=same_wish(connection, ingest), ingest_id=new_id)
    if answer.created:
        told = f"Retry of {ingest.id}, asked for by {decision.who} - {decision.why}"
        events.add(connection, new_id, told, once="retry")
    told = f"Retried by {decision.who} as {answer.ingest_id} - {decision.why}"
    dead_letters.redriven(connection, ingest_id=ingest.id, redriven_as=answer.ingest_id)
    events.add(connection, ingest.id, told)
    return Retried(answer.ingest_id, answer.created)


def same_wish(connection: Connection, ingest: Row[Any]) -> Wish:
    """What the ingest was asked for, as a retry of it."""
    name = BagVersion.of(ingest.space, ingest.external_identifier, ingest.version)
    bag = find_bag(connection, space=name.space, external_identifier=name.external_identifier, version=name.version)
    assert bag is not None, "an ingest's bag version is registered"
    return Wish(
        bag=bag,
        source=read_location(connection, ingest.source_id),
        destination=read_location(connection, ingest.destination_id),
        options=ingest.options,
        callback_url=ingest.callback_url,
        retry_of=ingest.id,
    )


def _hurry(connection: Connection, ingest_id: UUID, decision: Decision, *, patience: Patience) -> Retried:
    ingest = locked(connection, ingest_id)
    assert ingest is not None, "ingests are never deleted"
    must_run(ingest)
    surroundings = around(connection, ingest)
    hurried = 0 if surroundings is None else hurry(connection, surroundings, patience=patience)
    if not hurried:
        raise NothingToRetry(
            f"Ingest {ingest.id} is being worked on, or its campaign has not let it in: nothing waits."
        )
    events.add(connection, ingest.id, f"Told to go on at once by {decision.who} - {decision.why}")
    return Retried(ingest.id, created=False, hurried=hurried)
