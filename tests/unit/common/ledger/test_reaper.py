"""No row is ever forgotten."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select, text, update

from common.domain.replica import CheckState, ImportState, ReplicaState, SegmentState
from common.ledger import claims, failing
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.reaper import RULES, reap
from common.ledger.settling import settle
from common.ledger.tables import dead_letters, ingests, outbox, replicas, segments
from common.messages import decode
from common.outcome import Wait
from common.topology import COPYING, PLANNING
from unit.common.ledger.builders import a_backfill, a_file, age, hints, history, some_segments, state_of

PATIENCE = Patience(attempts=2)
_STATES = (("replica", ReplicaState), ("segment", SegmentState), ("import", ImportState), ("check", CheckState))


def look(engine: Engine, patience: Patience = PATIENCE) -> int:
    with transaction(engine) as connection:
        return reap(connection, patience=patience)


def test_every_state_that_is_not_terminal_has_exactly_one_rule_and_no_other_state_has_any() -> None:
    states = {(kind, state.value) for kind, enum in _STATES for state in enum if not state.terminal}

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


def test_hints_do_not_pile_up_while_nothing_can_be_published(engine: Engine) -> None:
    a_backfill(engine)

    for _ in range(5):
        look(engine)
        age(engine, replicas, due_at="- interval '10 minutes'")
        age(engine, outbox, created_at="- interval '10 minutes'")

    assert len(hints(engine)) == 1


def test_a_row_that_a_worker_holds_is_left_alone(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        assert claims.take(connection, stage=PLANNING, row_id=backfill.replica_id, worker="w", patience=PATIENCE)

    assert look(engine) == 0


def lost(engine: Engine, segment: int, *, times: int, patience: Patience = PATIENCE) -> None:
    """So many workers claimed the row and were never heard of again."""
    for number in range(1, times + 1):
        with transaction(engine) as connection:
            assert claims.take(
                connection, stage=COPYING, row_id=segment, worker=f"oom@a:{number}", patience=patience
            ), f"refused to worker {number}"
        age(engine, segments, lease_until="- interval '1 hour'", due_at="- interval '1 hour'")


def buried(engine: Engine) -> list[tuple[str, str]]:
    with transaction(engine) as connection:
        return [(letter.code, letter.reason) for letter in connection.execute(select(dead_letters))]


def test_the_third_worker_that_vanishes_with_a_row_is_the_last_and_the_largest_file_is_named(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])
    files = [a_file("data/a.txt", 7), a_file("data/x.tif", 48 * 10**9), a_file("data/y.tif", 10**9)]
    with transaction(engine) as connection:
        connection.execute(update(segments).values(files=[file.to_json() for file in files]))
    lost(engine, segment, times=3, patience=Patience())

    look(engine, Patience())

    why = "3 workers vanished at copying; the last was oom@a:3; the largest file is data/x.tif (48.0 GB)"
    assert buried(engine) == [("worker_vanished", why)]
    assert (state_of(engine, segments, segment), state_of(engine, ingests, backfill.ingest_id)) == ("failed", "failed")
    assert history(engine, backfill.ingest_id)[-1] == (
        f"Replicating to Azure failed - segment 1: gave up after 3 attempts: {why}"
    )


def test_the_row_of_the_third_that_vanished_is_given_to_no_other_even_if_its_hint_comes_first(engine: Engine) -> None:
    (segment,) = some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"])
    lost(engine, segment, times=3, patience=Patience())

    with transaction(engine) as connection:
        assert claims.take(connection, stage=COPYING, row_id=segment, worker="next", patience=Patience()) is None


def test_a_worker_that_vanishes_at_the_last_attempt_has_its_row_buried_too(engine: Engine) -> None:
    (segment,) = some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"])
    lost(engine, segment, times=2)

    look(engine)

    (letter,) = buried(engine)
    assert letter[0] == "worker_vanished"
    assert letter[1].startswith("2 workers vanished at copying; the last was oom@a:2")


def test_workers_that_vanished_before_a_look_that_went_well_do_not_count(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])
    lost(engine, segment, times=2, patience=Patience())
    with transaction(engine) as connection:
        held = claims.take(connection, stage=COPYING, row_id=segment, worker="lives", patience=Patience())
        assert held is not None
        settle(connection, held, Wait(timedelta(0), "resting"), patience=Patience(), build="b")

    lost(engine, segment, times=2, patience=Patience())
    look(engine, Patience())

    assert (buried(engine), state_of(engine, segments, segment)) == ([], "copying")


def test_transient_errors_are_not_taken_for_workers_that_vanished(engine: Engine) -> None:
    (segment,) = some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"])
    for number in range(1, 5):
        with transaction(engine) as connection:
            held = claims.take(connection, stage=COPYING, row_id=segment, worker="w", patience=Patience())
            assert held is not None
            assert held.attempt == number
            failing.try_again(connection, held, why="timeout", patience=Patience(), random=Random(1))
        age(engine, segments, not_before="- interval '1 hour'", due_at="- interval '1 hour'")
    look(engine, Patience())

    assert buried(engine) == []


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
