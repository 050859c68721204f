"""Of one replica only a few segments are hinted at a time, so that no bag fills a queue."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select, text

from common.domain.segment import SegmentPlan
from common.ledger import failing
from common.ledger.beginning import begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.reaper import reap
from common.ledger.settling import let_go, settle
from common.ledger.tables import replicas, segments
from common.ledger.windows import refill, waits_beside
from common.messages import decode
from common.outcome import Done, GoBack, Outcome, Planned, Wait
from common.topology import COPYING, PLANNING, THAWING, VERIFYING, Stage
from unit.common.ledger.builders import (
    PINS,
    Backfill,
    a_backfill,
    a_file,
    age,
    hints,
    history,
    some_segments,
)

PATIENCE = Patience(hints=3)


def claimed(engine: Engine, stage: Stage, row_id: int) -> Claim:
    """As a worker does it: claim, then make room where others wait for it."""
    with transaction(engine) as connection:
        found = begin(connection, stage=stage, row_id=row_id, worker="w", patience=PATIENCE)
    assert found is not None
    if found.others_wait:
        with transaction(engine) as connection:
            refill(connection, found.claim, patience=PATIENCE)
    return found.claim


def ends(engine: Engine, claim: Claim, outcome: Outcome) -> None:
    with transaction(engine) as connection:
        settle(connection, claim, outcome, patience=PATIENCE, build="b")


def hinted(engine: Engine, stage: Stage) -> list[int]:
    """The segments that were hinted on the stage's queue, in order, so far."""
    return [decode(body.encode()).row_id for queue, body in hints(engine) if queue.endswith(f"{stage.name}_backfill")]


def look(engine: Engine) -> None:
    with transaction(engine) as connection:
        reap(connection, patience=PATIENCE)


def a_large_bag(engine: Engine, *, stage: Stage, number: int = 10) -> tuple[Backfill, list[int]]:
    backfill = a_backfill(engine, state="transferring")
    return backfill, some_segments(engine, backfill, states=[stage.name] * number, hinted=False)


def test_a_plan_of_thousands_of_segments_is_hinted_a_few_at_a_time(engine: Engine) -> None:
    backfill = a_backfill(engine)
    plans = (SegmentPlan(n, [a_file(f"data/{n}")]) for n in range(1, 2001))

    ends(
        engine,
        claimed(engine, PLANNING, backfill.replica_id),
        Done("", writes=(Planned(segments=plans, files=2000, bytes=6000, pins=PINS),)),
    )

    assert len(hinted(engine, THAWING)) == PATIENCE.hints


def test_a_worker_that_takes_a_segment_makes_room_for_the_next_one_whatever_it_does_with_it(engine: Engine) -> None:
    _, rows = a_large_bag(engine, stage=COPYING)
    look(engine)

    for row in rows[:4]:
        claimed(engine, COPYING, row)

    assert hinted(engine, COPYING) == rows[:7]


def test_segments_of_one_bag_pass_the_stages_in_their_order_and_none_is_left_behind(engine: Engine) -> None:
    _, rows = a_large_bag(engine, stage=THAWING)
    look(engine)

    for stage in (THAWING, COPYING, VERIFYING):
        for row in rows:
            assert row in hinted(engine, stage)
            ends(engine, claimed(engine, stage, row), Done(""))

    assert [hinted(engine, stage) for stage in (THAWING, COPYING, VERIFYING)] == [rows, rows, rows]


def test_the_bags_do_not_take_each_other_s_room(engine: Engine) -> None:
    large, small = a_large_bag(engine, stage=COPYING), a_large_bag(engine, stage=COPYING, number=1)

    look(engine)

    assert hinted(engine, COPYING) == large[1][:3] + small[1]


@pytest.mark.parametrize("outcome", [Wait(timedelta(hours=1), "thawing"), "error"])
def test_a_segment_that_waits_takes_no_room_and_is_hinted_when_its_time_has_come(
    engine: Engine, outcome: Outcome | str
) -> None:
    backfill = a_backfill(engine, state="transferring")
    rows = some_segments(engine, backfill, states=["thawing"] * 5, hinted=False)
    look(engine)
    for row in rows:
        claim = claimed(engine, THAWING, row)
        if isinstance(outcome, str):
            with transaction(engine) as connection:
                failing.try_again(connection, claim, why="503", patience=PATIENCE, random=Random(1))
        else:
            ends(engine, claim, outcome)
    look(engine)
    before = hinted(engine, THAWING)

    age(engine, segments, due_at="- interval '2 hours'", not_before="- interval '2 hours'")
    look(engine)

    assert (before, hinted(engine, THAWING)) == (rows, rows + rows[:3])


def test_a_segment_that_goes_back_queues_up_again(engine: Engine) -> None:
    _, (row,) = a_large_bag(engine, stage=COPYING, number=1)

    ends(engine, claimed(engine, COPYING, row), GoBack("thawing", "froze"))

    assert hinted(engine, THAWING) == [row]


def test_a_segment_that_a_stopping_worker_lets_go_of_is_hinted_at_once(engine: Engine) -> None:
    _, (row,) = a_large_bag(engine, stage=COPYING, number=1)
    claim = claimed(engine, COPYING, row)

    with transaction(engine) as connection:
        let_go(connection, claim)

    assert hinted(engine, COPYING) == [row]


def test_hints_that_were_lost_are_repeated_for_the_window_only(engine: Engine) -> None:
    _, rows = a_large_bag(engine, stage=COPYING)
    look(engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM outbox"))
    age(engine, segments, due_at="- interval '1 hour'")
    age(engine, replicas, due_at="+ interval '1 hour'")

    look(engine)
    look(engine)

    assert hinted(engine, COPYING) == rows[:3]


def test_a_segment_whose_worker_vanished_is_hinted_again(engine: Engine) -> None:
    _, (row,) = a_large_bag(engine, stage=COPYING, number=1)
    look(engine)
    claimed(engine, COPYING, row)
    age(engine, segments, lease_until="- interval '1 hour'", due_at="- interval '1 hour'")

    look(engine)

    assert hinted(engine, COPYING) == [row, row]


def test_a_large_bag_tells_each_tenth_once_and_only_ever_more(engine: Engine) -> None:
    backfill, rows = a_large_bag(engine, stage=VERIFYING, number=20)

    for row in rows:
        ends(engine, claimed(engine, VERIFYING, row), Done(""))

    told = [sentence for sentence in history(engine, backfill.ingest_id) if " of 20 segments" in sentence]
    assert told == [
        f"Verification (Azure): {n} of 20 segments, {n * 3} bytes" for n in (2, 4, 6, 8, 10, 12, 14, 16, 18)
    ]
    assert history(engine, backfill.ingest_id)[-1] == "Verification (Azure) succeeded - 20 files, 60 bytes"


def test_a_small_bag_tells_only_its_end(engine: Engine) -> None:
    backfill, rows = a_large_bag(engine, stage=VERIFYING, number=19)

    for row in rows:
        ends(engine, claimed(engine, VERIFYING, row), Done(""))

    assert len(history(engine, backfill.ingest_id)) == 2


@pytest.mark.parametrize(
    ("others", "wait"), [([], False), ([True], False), ([False], True)], ids=["none", "hinted", "not hinted"]
)
def test_room_is_made_only_where_others_wait_for_it(engine: Engine, others: list[bool], wait: bool) -> None:
    backfill = a_backfill(engine, state="transferring")
    (first,) = some_segments(engine, backfill, states=["copying"])
    for number, is_hinted in enumerate(others, start=2):
        with transaction(engine) as connection:
            plan = {"number": number, "state": "copying", "files": [], "file_count": 1, "bytes": 3, "hinted": is_hinted}
            whose = {"replica_id": backfill.replica_id, "ingest_id": backfill.ingest_id}
            connection.execute(segments.insert().values(**whose, **plan))
    elsewhere = a_backfill(engine, state="transferring")
    some_segments(engine, elsewhere, states=["copying"], hinted=False)

    with transaction(engine) as connection:
        found = begin(connection, stage=COPYING, row_id=first, worker="w", patience=PATIENCE)
    assert found is not None
    assert found.others_wait is wait


def test_whether_others_wait_is_told_by_an_index_of_open_segments(engine: Engine) -> None:
    """A ledger has millions of segments that are verified, and a large bag has thousands that wait."""
    backfill, large = a_backfill(engine, state="transferring"), a_backfill(engine, state="transferring")
    (first,) = some_segments(engine, backfill, states=["copying"])
    many = """INSERT INTO segments (replica_id, ingest_id, number, state, files, file_count, bytes, hinted)
              SELECT :replica, :ingest, n, CASE WHEN n % 4 = 0 THEN 'thawing' ELSE 'verified' END, '[]', 1, 3, false
              FROM generate_series(1, 20000) n"""
    with transaction(engine) as connection:
        connection.execute(text(many), {"replica": large.replica_id, "ingest": large.ingest_id})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE segments"))
        asked = select(waits_beside(segments)).where(segments.c.id == first)
        plan = connection.execute(text(f"EXPLAIN {asked.compile(engine, compile_kwargs={'literal_binds': True})}"))
        told = "\n".join(plan.scalars())

    assert "Seq Scan" not in told, told
