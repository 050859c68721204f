"""Making what waits due at once: rows that back off after an error, or wait for a thaw."""

from __future__ import annotations

from sqlalchemy import Connection, or_, update

from common.domain.replica import SegmentState
from common.ledger import outbox, windows
from common.ledger.campaigns.tables import HELD
from common.ledger.claims import Patience
from common.ledger.context import Context
from common.ledger.tables import NOW, replicas, segments
from common.topology import STAGES, hint_for, stage_of_row


def hurry(connection: Connection, around: Context, *, patience: Patience) -> int:
    """Every row of the replica that nobody holds is due; returns how many are. No attempt is spent or given.

    The caller has locked the replica's row. A replica that its campaign holds back goes on being held back.
    Segments are hinted as their window has room, and by the reaper as it gets more.
    """
    return _replica(connection, around) + _segments(connection, around, patience=patience)


def _replica(connection: Connection, around: Context) -> int:
    stages = {stage.state.value: stage for stage in STAGES if stage.kind == "replica"}
    state = connection.execute(
        update(replicas)
        .where(
            replicas.c.id == around.replica_id,
            replicas.c.state.in_(stages),
            replicas.c.not_before < HELD,
            or_(replicas.c.lease_until.is_(None), replicas.c.lease_until < NOW),
        )
        .values(not_before=NOW, due_at=NOW)
        .returning(replicas.c.state)
    ).scalar_one_or_none()
    if state is None:
        return 0
    outbox.post(connection, stage=stages[state], lane=around.lane, hint=hint_for(stages[state], around.replica_id))
    return 1


def _segments(connection: Connection, around: Context, *, patience: Patience) -> int:
    """A hint that is out may be lost: it is given up, and takes no place in a window any more."""
    states = (
        connection.execute(
            update(segments)
            .where(
                segments.c.replica_id == around.replica_id,
                segments.c.state.in_(windows.WORKED_ON),
                or_(segments.c.lease_until.is_(None), segments.c.lease_until < NOW),
            )
            .values(not_before=NOW, due_at=NOW, hinted=False)
            .returning(segments.c.state)
        )
        .scalars()
        .all()
    )
    for state in sorted(set(states)):
        stage = stage_of_row("segment", SegmentState(state))
        assert stage is not None
        windows.fill(connection, stage=stage, around=around, patience=patience)
    return len(states)
