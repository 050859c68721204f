"""A bag of many segments does not hold up the bags that come after it, and planning does not hold up thawing."""

from __future__ import annotations

import threading
from dataclasses import replace

from sqlalchemy import Engine, select

from common.jobs import ReplicaJob, SegmentJob
from common.ledger.engine import transaction
from common.ledger.tables import segments
from common.outcome import Done, Outcome, Rejected
from common.topology import COPYING, PLANNING, THAWING
from unit.common.ledger.builders import a_backfill, some_segments
from unit.common.runtime.workers import QUICK, Wire, running, until

LARGE, SMALL, HANDS, HINTS = 60, 10, 2, 4


class Line:
    """A COPYING step that notes in which order segments came; after the first ten it waits to be told to go on."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.go_on = threading.Event()

    def __call__(self, job: SegmentJob) -> Outcome:
        self.rows.append(job.segment_id)
        if len(self.rows) > 10:
            self.go_on.wait(20)
        return Done(said="1 file, 3 bytes")


def test_small_bags_wait_for_a_few_segments_of_a_large_one_and_not_for_all(engine: Engine) -> None:
    wire, line = Wire(), Line()
    some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"] * LARGE, hinted=False)

    with running(engine, wire, {COPYING: line}, concurrency=HANDS, patience=replace(QUICK, hints=HINTS)):
        until(lambda: len(line.rows) > 10)
        small = {
            some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"])[0] for _ in range(SMALL)
        }
        for row in sorted(small):
            wire.hint(COPYING, row)
        line.go_on.set()
        until(lambda: small <= set(line.rows))
        came = line.rows.copy()
        until(lambda: len(line.rows) == LARGE + SMALL)

    last = max(came.index(row) for row in small)
    before = [row for row in came[10 : last + 1] if row not in small]
    assert len(before) <= HANDS + 2 * HINTS
    with transaction(engine) as connection:
        assert set(connection.execute(select(segments.c.state)).scalars()) == {"verifying"}


def test_bags_are_planned_and_thawed_in_turn(engine: Engine) -> None:
    wire, came = Wire(), []

    def plan(_: ReplicaJob) -> Outcome:
        came.append("plan")
        return Rejected("c", "why", "for the user")

    def thaw(_: SegmentJob) -> Outcome:
        came.append("thaw")
        return Done(said="1 object can be read")

    for _ in range(4):
        wire.hint(PLANNING, a_backfill(engine).replica_id)
        wire.hint(THAWING, some_segments(engine, a_backfill(engine, state="transferring"), states=["thawing"])[0])
    with running(engine, wire, {PLANNING: plan, THAWING: thaw}, concurrency=1, reaper=False):
        until(lambda: len(came) == 8)

    assert came == ["plan", "thaw"] * 4
