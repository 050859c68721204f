"""No row is ever forgotten."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, text

from common.domain.replica import ImportState, ReplicaState, SegmentState
from common.ledger import claims
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.reaper import RULES, reap
from common.ledger.tables import dead_letters, ingests, replicas, segments
from common.messages import decode
from common.topology import COPYING, PLANNING
from unit.common.ledger.builders import a_backfill, age, hints, some_segments, state_of

PATIENCE = Patience(attempts=2)


def look(engine: Engine) -> int:
    with transaction(engine) as connection:
        return reap(connection, patience=PATIENCE)


def test_every_state_that_is_not_terminal_has_exactly_one_rule_and_no_other_state_has_any() -> None:
    states = {
        (kind, state.value)
        for kind, enum in (("replica", ReplicaState), ("segment", SegmentState), ("import", ImportState))
        for state in enum
        if not state.terminal
    }

    assert sorted((rule.kind, rule.state.value) for rule in RULES) == sorted(states)


@pytest.mark.parametrize("state", [s.value for s in SegmentState if not s.terminal])
def test_a_hint_that_was_lost_is_given_again(engine: Engine, state: str) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=[state])
    age(engine, segments, due_at="- interval '1 second'")
    age(engine, replicas, due_at="+ interval '1 hour'")

    look(engine)

    assert [(queue.split("_")[-2], decode(body.encode()).row_id) for queue, body in hints(engine)] == [(state, segment)]


def test_a_row_is_hinted_once_per_period_not_at_every_look(engine: Engine) -> None:
    a_backfill(engine)

    looks = [look(engine) for _ in range(3)]

    assert (looks, len(hints(engine))) == ([1, 0, 0], 1)


def test_a_row_that_a_worker_holds_is_left_alone(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        assert claims.take(connection, stage=PLANNING, row_id=backfill.replica_id, worker="w", patience=PATIENCE)

    assert look(engine) == 0


def test_a_row_whose_workers_vanish_again_and_again_is_buried_with_a_dead_letter(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])
    for _ in range(PATIENCE.attempts):
        with transaction(engine) as connection:
            assert claims.take(connection, stage=COPYING, row_id=segment, worker="oom@a:1", patience=PATIENCE)
        age(engine, segments, lease_until="- interval '1 hour'", due_at="- interval '1 hour'")

    look(engine)

    with transaction(engine) as connection:
        letter = connection.execute(select(dead_letters)).one()
    assert (letter.code, letter.row_id, letter.ingest_id) == ("worker_vanished", segment, backfill.ingest_id)
    assert "2 workers vanished while working on it; the last was oom@a:1" in letter.reason
    assert (state_of(engine, segments, segment), state_of(engine, ingests, backfill.ingest_id)) == ("failed", "failed")


def test_a_replica_whose_segments_are_all_verified_is_moved_on_even_if_nobody_did(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    some_segments(engine, backfill, states=["verified", "verified"])

    look(engine)

    assert state_of(engine, replicas, backfill.replica_id) == "aggregating"


def test_a_replica_with_work_left_is_not_moved_on(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    some_segments(engine, backfill, states=["verified", "copying"])

    look(engine)

    assert state_of(engine, replicas, backfill.replica_id) == "transferring"


def test_two_reapers_do_not_hint_the_same_rows(engine: Engine) -> None:
    a_backfill(engine)
    with engine.connect() as other, other.begin():
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x6261636B66696C6C})
        assert look(engine) == 0

    assert look(engine) == 1


def test_losing_the_whole_outbox_loses_nothing(engine: Engine) -> None:
    backfills = [a_backfill(engine) for _ in range(5)]
    look(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM outbox"))
    age(engine, replicas, due_at="- interval '1 hour'")

    look(engine)

    assert len(hints(engine)) == len(backfills)
