"""Claims: one holder at a time, proven by a fence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

from common.errors import ClaimLost, LedgerUnavailable
from common.ledger import claims
from common.ledger.beginning import Begun, begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.settling import let_go, settle
from common.ledger.tables import evidence, replicas, segments
from common.outcome import Done, Planned, Wait
from common.topology import COPYING, PLANNING
from unit.common.ledger.builders import a_backfill, age, hints, segment_plans, some_segments, state_of

PATIENCE = Patience()


def claim(
    engine: Engine, row_id: int, *, worker: str = "w", patience: Patience = PATIENCE, waits: bool = False
) -> Claim | None:
    with transaction(engine) as connection:
        return claims.take(connection, stage=PLANNING, row_id=row_id, worker=worker, patience=patience, waits=waits)


def test_of_sixteen_workers_that_want_a_row_one_gets_it(engine: Engine) -> None:
    row = a_backfill(engine).replica_id

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda n: claim(engine, row, worker=f"w{n}"), range(16)))

    assert len([c for c in taken if c]) == 1


def claimed_beside(engine: Engine, row: int, change: str, *, ends: bool = True) -> Claim | None:
    """By a hinted worker, whose claim comes while a transaction that has done `change` is open, and perhaps ends."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as other:
        other.execute(text(change), {"row": row})
        waiting = pool.submit(claim, engine, row, worker="hinted", waits=True)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        if ends:
            other.commit()
        return waiting.result(timeout=10)


@pytest.mark.parametrize(
    "change",
    [
        "SELECT id FROM replicas WHERE id = :row FOR UPDATE",
        # What the reaper does: it locks the row, and finds that it does not concern it any more.
        "UPDATE replicas SET due_at = due_at + interval '1 minute' WHERE id = :row",
    ],
)
def test_a_row_that_is_locked_for_a_moment_is_claimed_when_it_is_free(engine: Engine, change: str) -> None:
    row = a_backfill(engine).replica_id

    taken = claimed_beside(engine, row, change)

    assert taken == Claim(PLANNING, row, fence=1, attempt=1, worker="hinted")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE replicas SET lease_until = now() + interval '1 minute', fence = fence + 1 WHERE id = :row",
        "UPDATE replicas SET state = 'aggregating' WHERE id = :row",
    ],
)
def test_a_row_that_somebody_claims_or_moves_on_meanwhile_is_not(engine: Engine, change: str) -> None:
    assert claimed_beside(engine, a_backfill(engine).replica_id, change) is None


def test_nobody_waits_long_for_a_row(engine: Engine) -> None:
    row = a_backfill(engine).replica_id

    with pytest.raises(LedgerUnavailable, match="lock timeout"):
        claimed_beside(engine, row, "SELECT id FROM replicas WHERE id = :row FOR UPDATE", ends=False)

    assert claim(engine, row) is not None


def test_a_hint_finds_its_row_although_somebody_looks_at_it(engine: Engine) -> None:
    row = a_backfill(engine).replica_id

    def hinted() -> Begun | None:
        with transaction(engine) as connection:
            return begin(connection, stage=PLANNING, row_id=row, worker="w", patience=PATIENCE)

    with ThreadPoolExecutor(1) as pool, engine.connect() as reaper:
        reaper.execute(select(replicas.c.id).with_for_update()).all()
        begun = pool.submit(hinted)
        with pytest.raises(TimeoutError):
            begun.result(timeout=0.2)
        reaper.rollback()

        assert begun.result(timeout=10) is not None


def test_who_was_not_asked_to_wait_passes_a_locked_row_by(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    with engine.connect() as other:
        other.execute(text("SELECT id FROM replicas WHERE id = :row FOR UPDATE"), {"row": row})
        assert claim(engine, row) is None


def test_a_row_in_another_state_cannot_be_claimed(engine: Engine) -> None:
    row = a_backfill(engine, state="aggregating").replica_id

    assert claim(engine, row) is None


def test_a_row_that_does_not_exist_cannot_be_claimed(engine: Engine) -> None:
    assert claim(engine, 4711) is None


def test_an_expired_lease_passes_to_the_next_worker_with_a_higher_fence_and_names_the_vanished(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    first = claim(engine, row, worker="first")
    age(engine, replicas, lease_until="- interval '1 hour'")

    second = claim(engine, row, worker="second")

    assert first is not None
    assert second == Claim(PLANNING, row, fence=first.fence + 1, attempt=2, worker="second", vanished="first")


def test_a_worker_whose_fence_is_out_of_date_commits_nothing(engine: Engine) -> None:
    backfill = a_backfill(engine)
    stale = claim(engine, backfill.replica_id, worker="slept")
    age(engine, replicas, lease_until="- interval '1 hour'")
    assert claim(engine, backfill.replica_id, worker="woke")
    assert stale is not None
    plan = Planned(segments=iter(segment_plans(1)), files=1, bytes=3, pins={})

    with pytest.raises(ClaimLost), transaction(engine) as connection:
        settle(connection, stale, Done("1 file", writes=(plan,)), patience=PATIENCE, build="b")

    with transaction(engine) as connection:
        rows = connection.execute(select(segments.c.id)).all()
    assert (rows, state_of(engine, replicas, backfill.replica_id), hints(engine)) == ([], "planning", [])


def test_a_stale_worker_cannot_renew_or_leave_notes(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    stale = claim(engine, row, worker="slept")
    age(engine, replicas, lease_until="- interval '1 hour'")
    assert claim(engine, row, worker="woke")
    assert stale is not None

    with transaction(engine) as connection:
        renewed = claims.renew(connection, stale, lease=timedelta(seconds=60))
    with pytest.raises(ClaimLost), transaction(engine) as connection:
        claims.remember(connection, stale, {"a": 1})

    assert not renewed


def test_notes_are_merged_and_the_next_attempt_finds_them(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    held = claim(engine, row)
    assert held is not None

    with transaction(engine) as connection:
        claims.remember(connection, held, {"a": 1, "b": 1})
    with transaction(engine) as connection:
        claims.remember(connection, held, {"b": 2})

    with transaction(engine) as connection:
        assert connection.execute(select(replicas.c.progress)).scalar_one() == {"a": 1, "b": 2}


def test_a_row_is_not_claimed_more_often_than_patience_allows(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    patience = Patience(attempts=3)
    for _ in range(3):
        assert claim(engine, row, patience=patience)
        age(engine, replicas, lease_until="- interval '1 hour'")

    assert claim(engine, row, patience=patience) is None


def test_waiting_uses_no_attempt_and_a_hint_may_end_it_early(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    for _ in range(7):
        held = claim(engine, row)
        assert held is not None
        assert held.attempt == 1
        with transaction(engine) as connection:
            settle(connection, held, Wait(timedelta(hours=4), "waiting for thaw"), patience=PATIENCE, build="b")


def test_letting_go_gives_the_row_back_at_once_and_costs_no_attempt(engine: Engine) -> None:
    row = a_backfill(engine).replica_id
    held = claim(engine, row)
    assert held is not None

    with transaction(engine) as connection:
        let_go(connection, held)

    again = claim(engine, row)
    assert again is not None
    assert (again.attempt, again.vanished, len(hints(engine))) == (1, None, 1)


def test_a_claim_that_was_settled_cannot_be_settled_again(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment, _) = some_segments(engine, backfill, states=["copying", "thawing"])
    with transaction(engine) as connection:
        held = claims.take(connection, stage=COPYING, row_id=segment, worker="w", patience=PATIENCE)
    assert held is not None
    with transaction(engine) as connection:
        settle(connection, held, Done("1 file"), patience=PATIENCE, build="b")

    with pytest.raises(ClaimLost), transaction(engine) as connection:
        settle(connection, held, Done("1 file"), patience=PATIENCE, build="b")

    with transaction(engine) as connection:
        assert connection.execute(select(evidence.c.id)).all() == []
