"""The end of a unit of work: result and next hints in one transaction, guarded by the claim's fence."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, update

from common.domain.ingest import IngestStatus
from common.domain.replica import ReplicaState, SegmentState
from common.ledger import context, events, failing, milestones, outbox, restores, spoiled, windows
from common.ledger.claims import Claim, Patience, afresh, hold, interval, release, remember
from common.ledger.context import Context
from common.ledger.fixity import concluding
from common.ledger.tables import NOW, ingests, replicas, segments
from common.ledger.writing import none_in, write
from common.outcome import Done, GoBack, Outcome, Rejected, Wait
from common.topology import (
    AGGREGATING,
    COPYING,
    PLANNING,
    REGISTERING,
    TAG_THAWING,
    THAWING,
    VERIFYING,
    Stage,
    State,
    hint_for,
    stage_of_row,
)
from common.wording import count, size

_BEFORE = {
    SegmentState.THAWING: (SegmentState.THAWING,),
    SegmentState.COPYING: (SegmentState.THAWING, SegmentState.COPYING),
    SegmentState.VERIFYING: (SegmentState.THAWING, SegmentState.COPYING, SegmentState.VERIFYING),
}
"""A stage has succeeded for the whole bag when no segment is in any of these states."""

MOST_RETURNS = 10
"""How often a row may go back to an earlier state before it fails: a copy that expires again and again has a cause."""


def settle(connection: Connection, claim: Claim, outcome: Outcome, *, patience: Patience, build: str) -> None:
    """Make the outcome true. Raises ClaimLost, and commits nothing then, where the row is somebody else's by now."""
    around = context.read(connection, kind=claim.kind, row_id=claim.row_id, lock=True)
    hold(connection, claim)
    match outcome:
        case Done():
            _done(connection, claim, outcome, around, patience=patience, build=build)
        case Wait():
            _wait(connection, claim, outcome, around)
        case GoBack():
            _go_back(connection, claim, outcome, around, patience=patience)
        case Rejected():
            _rejected(connection, claim, outcome, around, build=build)


def _rejected(connection: Connection, claim: Claim, rejected: Rejected, around: Context | None, *, build: str) -> None:
    for fact in rejected.writes if around else ():
        assert around is not None
        write(fact, connection, claim, around, build)
    if rejected.after_the_rest and around is not None:
        spoiled.found(connection, claim, rejected, around)
        return
    failing.fail(
        connection,
        stage=claim.stage,
        row_id=claim.row_id,
        code=rejected.code,
        why=rejected.why,
        for_user=rejected.for_user,
        around=around,
    )


def let_go(connection: Connection, claim: Claim) -> None:
    """Give the row back unfinished, costing no attempt, for another worker to take at once."""
    around = context.read(connection, kind=claim.kind, row_id=claim.row_id, lock=True)
    hold(connection, claim)
    release(connection, claim, attempts=claim.table.c.attempts - 1, due_at=NOW)
    lane = around.lane if around else claim.stage.lane
    outbox.post(connection, stage=claim.stage, lane=lane, hint=hint_for(claim.stage, claim.row_id))


def _done(
    connection: Connection, claim: Claim, done: Done, around: Context | None, *, patience: Patience, build: str
) -> None:
    if claim.kind == "check":
        concluding.conclude(connection, claim, done)
        return
    if around is None:
        _after_import(connection, claim)
        return
    for fact in done.writes:
        write(fact, connection, claim, around, build)
    _advance(connection, claim, claim.stage.next_state, around, patience=patience)
    if claim.kind == "segment":
        _after_segment(connection, claim, around, patience=patience)
    elif claim.stage is PLANNING:
        _after_planning(connection, done, around, patience=patience)
    else:
        _after_replica(connection, claim, done, around)


def _after_import(connection: Connection, claim: Claim) -> None:
    state = claim.stage.next_state
    if claim.stage is TAG_THAWING:
        restores.leave(connection, claim)
    ended = {"finished_at": NOW} if state.terminal else {"due_at": NOW, "not_before": NOW}
    release(connection, claim, state=state.value, **ended, **afresh(claim))
    if following := stage_of_row(claim.kind, state):
        outbox.post(connection, stage=following, lane=following.lane, hint=hint_for(following, claim.row_id))


def _advance(connection: Connection, claim: Claim, state: State, around: Context, *, patience: Patience) -> None:
    """A replica is hinted at once; a segment queues up behind those of its replica that came to the stage before."""
    if claim.stage in (PLANNING, THAWING):
        restores.leave(connection, claim)
    later = NOW if claim.kind == "segment" else func.clock_timestamp() + interval(patience.hint_again)
    settled = {"state": state.value, "not_before": NOW, "due_at": later, "last_error": None}
    release(connection, claim, **settled, **afresh(claim), **windows.left(claim))
    following = stage_of_row(claim.kind, state)
    if following and following.kind == "segment":
        windows.fill(connection, stage=following, around=around, patience=patience)
    elif following:
        outbox.post(connection, stage=following, lane=around.lane, hint=hint_for(following, claim.row_id))


def _after_planning(connection: Connection, done: Done, around: Context, *, patience: Patience) -> None:
    """What was planned goes to be thawed, or straight to be copied where the plan saw that it can be read."""
    windows.fill(connection, stage=COPYING, around=around, patience=patience)
    frozen = windows.fill(connection, stage=THAWING, around=around, patience=patience)
    _tell_success(connection, PLANNING, done, around)
    if not frozen:
        told = f"{around.title(THAWING)} succeeded - nothing is frozen"
        events.add(connection, around.ingest_id, told, once=f"{THAWING.name}:succeeded")


def _after_segment(connection: Connection, claim: Claim, around: Context, *, patience: Patience) -> None:
    """The last segment to leave a stage reports for the whole bag; the last to be verified moves the replica on.

    Exact without counters because the replica's row is locked: segments settle one after another.
    """
    if claim.stage is VERIFYING and spoiled.conclude(connection, around):
        return
    if not none_in(connection, around, [s.value for s in _BEFORE[SegmentState(claim.stage.state)]]):
        milestones.tell(connection, stage=claim.stage, around=around)
        return
    totals = _totals(connection, around)
    events.add(
        connection,
        around.ingest_id,
        f"{around.title(claim.stage)} succeeded - {totals}",
        once=f"{claim.stage.name}:succeeded",
    )
    if claim.stage.next_state is SegmentState.VERIFIED and none_in(
        connection, around, [s.value for s in SegmentState if s is not SegmentState.VERIFIED]
    ):
        start_aggregating(connection, around, patience=patience)


def start_aggregating(connection: Connection, around: Context, *, patience: Patience) -> None:
    later = func.clock_timestamp() + interval(patience.hint_again)
    connection.execute(
        update(replicas)
        .where(replicas.c.id == around.replica_id, replicas.c.state == ReplicaState.TRANSFERRING.value)
        .values(state=ReplicaState.AGGREGATING.value, attempts=0, not_before=NOW, due_at=later, lease_until=None)
    )
    outbox.post(connection, stage=AGGREGATING, lane=around.lane, hint=hint_for(AGGREGATING, around.replica_id))


_TOTALS = select(func.sum(segments.c.file_count).label("files"), func.sum(segments.c.bytes).label("bytes")).where(
    segments.c.ingest_id == bindparam("whose")
)


def _totals(connection: Connection, around: Context) -> str:
    row = connection.execute(_TOTALS, {"whose": around.ingest_id}).one()
    return f"{count(row.files, 'file')}, {size(row.bytes)}"


def _after_replica(connection: Connection, claim: Claim, done: Done, around: Context) -> None:
    if claim.stage is not REGISTERING:
        _tell_success(connection, claim.stage, done, around)
        return
    connection.execute(
        update(ingests)
        .where(ingests.c.id == around.ingest_id, ingests.c.status.in_(failing.OPEN_INGESTS))
        .values(status=IngestStatus.SUCCEEDED.value, finished_at=NOW)
    )
    events.add(connection, around.ingest_id, f"{around.title(claim.stage)} succeeded (completed)", detail=done.detail)


def _tell_success(connection: Connection, stage: Stage, done: Done, around: Context) -> None:
    said = f" - {done.said}" if done.said else ""
    events.add(connection, around.ingest_id, f"{around.title(stage)} succeeded{said}", detail=done.detail)


def _wait(connection: Connection, claim: Claim, wait: Wait, around: Context | None) -> None:
    all_told = wait.awaited is not None and restores.await_objects(connection, claim, wait.awaited)
    later = func.clock_timestamp() + interval(restores.OVERLAP if all_told else wait.again_in)
    if wait.promised:
        remember(connection, claim, {"promised": {claim.stage.name: wait.promised.total_seconds()}})
    # A look that went well ends a row of failures: brief errors spread over a thaw of two days do not add up.
    release(connection, claim, due_at=later, **afresh(claim), **windows.left(claim))
    if around:
        once = f"{claim.stage.name}:waits" + _what_for(claim, wait)
        events.add(connection, around.ingest_id, f"{around.title(claim.stage)}: {wait.why}", once=once)
        for told in wait.told:
            once = f"{claim.stage.name}:{told}"
            events.add(connection, around.ingest_id, f"{around.title(claim.stage)}: {told}", once=once)


def _what_for(claim: Claim, wait: Wait) -> str:
    if wait.about:
        return f":{wait.about}"
    return "" if claim.kind == "segment" else f":{wait.why}"


def _go_back(connection: Connection, claim: Claim, back: GoBack, around: Context | None, *, patience: Patience) -> None:
    assert around is not None, "an import has no earlier state"
    table = claim.table
    progress = connection.execute(select(table.c.progress).where(table.c.id == claim.row_id)).scalar_one()
    returns = progress.get("returns", 0) + 1
    if returns > MOST_RETURNS:
        failing.give_up(
            connection,
            stage=claim.stage,
            row_id=claim.row_id,
            attempts=returns,
            why=back.why,
            around=around,
            code="went_back_too_often",
        )
        return
    # What was asked of the store was asked: it is counted until the end. And what was begun there can be taken up.
    kept = {name: value for name, value in progress.items() if name in ("restores", "uploads")}
    connection.execute(update(table).where(table.c.id == claim.row_id).values(progress=kept | {"returns": returns}))
    _advance(connection, claim, SegmentState(back.state), around, patience=patience)
    events.add(connection, around.ingest_id, f"{around.title(claim.stage)} going back - {back.why}")
