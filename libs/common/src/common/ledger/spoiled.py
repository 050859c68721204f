"""A replica with bad files: what was copied is still read back to the end, so that all of them are told at once.

The first bad segment decides that the replica fails. Segments that are not copied yet are called off; those that are
go on being verified, and the last of them ends the replica and its ingest.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from common.domain.replica import ReplicaState, SegmentState
from common.ledger import events, failing, proofs
from common.ledger.claims import Claim
from common.ledger.context import Context
from common.ledger.proofs import Which
from common.ledger.tables import replicas, segments
from common.outcome import Rejected
from common.topology import VERIFYING
from common.wording import count

_NAMED = 100
"""Bad files that the failure's reason names; the evidence has all of them."""

_NOT_COPIED = (SegmentState.THAWING.value, SegmentState.COPYING.value)


def found(connection: Connection, claim: Claim, outcome: Rejected, around: Context) -> None:
    """A segment has bad files. The caller has written the evidence and locked replica and segment."""
    failing.end_segment(connection, claim.row_id, code=outcome.code, why=outcome.why)
    connection.execute(
        update(segments)
        .where(segments.c.ingest_id == around.ingest_id, segments.c.state.in_(_NOT_COPIED))
        .values(state=SegmentState.CANCELLED.value, fence=segments.c.fence + 1, lease_until=None, claimed_by=None)
    )
    told = f"{around.title(claim.stage)}: segment {around.segment}: {outcome.for_user}"
    events.add(connection, around.ingest_id, told, detail={"code": outcome.code, "reason": outcome.why})
    conclude(connection, around)


def conclude(connection: Connection, around: Context) -> bool:
    """End the replica and its ingest if files are bad and nothing of it is left to read; whether files are bad.

    Nothing happens where the replica ended already: another failure was quicker.
    """
    first = _first_failed(connection, around)
    if first is None:
        return False
    if not _left(connection, around):
        _end(connection, around, code=first.error_code)
    return True


_FAILED = (
    select(segments.c.error_code)
    .where(segments.c.ingest_id == bindparam("whose"), segments.c.state == SegmentState.FAILED.value)
    .order_by(segments.c.number)
    .limit(1)
)


def _first_failed(connection: Connection, around: Context) -> Any:
    return connection.execute(_FAILED, {"whose": around.ingest_id}).one_or_none()


def _left(connection: Connection, around: Context) -> bool:
    left = select(segments.c.id).where(
        segments.c.ingest_id == around.ingest_id, segments.c.state.in_(failing.OPEN_SEGMENTS)
    )
    return connection.execute(left.limit(1)).first() is not None


def _end(connection: Connection, around: Context, *, code: str) -> None:
    state = connection.execute(select(replicas.c.state).where(replicas.c.id == around.replica_id)).scalar_one()
    if state != ReplicaState.TRANSFERRING.value:
        return
    bad = proofs.proofs(connection, ingest_id=around.ingest_id, which=Which.BAD, limit=_NAMED)
    number, _ = proofs.count_suspicious(connection, ingest_id=around.ingest_id)
    more = f"; and {number - len(bad):,} more" if number > len(bad) else ""
    why = "; ".join(f"{proof.path}: {proof.outcome}, {proof.reason}" for proof in bad) + more
    names = ", ".join(proof.path for proof in bad)
    failing.close(connection, ingest_id=around.ingest_id, around=around, code=code, why=why)
    said = f"{around.title(VERIFYING)} failed - unable to verify {count(number, 'file')} at the destination: {names}"
    events.add(connection, around.ingest_id, said, detail={"code": code, "reason": why})
