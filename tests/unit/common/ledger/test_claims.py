"""Claims: one holder at a time, proven by a fence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from common.errors import ClaimLost
from common.ledger import claims
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.settling import let_go, settle
from common.ledger.tables import evidence, replicas, segments
from common.outcome import Done, Planned, Wait
from common.topology import COPYING, PLANNING
from unit.common.ledger.builders import a_backfill, age, hints, segment_plans, some_segments, state_of

PATIENCE = Patience()


def claim(engine: Engine, row_id: int, *, worker: str = "w", patience: Patience = PATIENCE) -> Claim | None:
    with transaction(engine) as connection:
        return claims.take(connection, stage=PLANNING, row_id=row_id, worker=worker, patience=patience)


def test_of_sixteen_workers_that_want_a_row_one_gets_it(engine: Engine) -> None:
    row = a_backfill(engine).replica_id

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda n: claim(engine, row, worker=f"w{n}"), range(16)))

    assert len([c for c in taken if c]) == 1


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
