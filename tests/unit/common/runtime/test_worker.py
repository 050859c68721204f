"""The worker loop: hints may be lost, doubled and wrong, brokers and databases may go, and work is done once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select, update

from common.errors import AccessDenied, ConfigurationError, StoreUnavailable
from common.jobs import SegmentJob
from common.ledger.engine import transaction
from common.ledger.tables import ingests, segments
from common.outcome import Done, Outcome, Rejected, Wait
from common.topology import COPYING, VERIFYING, Lane
from unit.common.ledger.builders import a_backfill, history, some_segments, state_of
from unit.common.runtime.workers import (
    QUICK,
    Steps,
    Wire,
    a_segment,
    letters,
    row,
    running,
    until,
)

VERIFY_QUEUE = VERIFYING.queue(Lane.BACKFILL)


def test_a_hint_leads_to_a_settled_row_and_the_next_hint(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    wire.hint(COPYING, segment)

    with running(engine, wire, {COPYING: step}, reaper=False):
        until(lambda: wire.waiting and state_of(engine, segments, segment) == "verifying")

    assert step.rows == [segment]
    assert wire.broker.ready(VERIFY_QUEUE) == 1
    settled = row(engine, segment)
    assert (settled["attempts"], settled["lease_until"], settled["claimed_by"]) == (0, None, None)


def test_hints_that_come_twenty_times_have_one_effect(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    for _ in range(20):
        wire.hint(COPYING, segment)
        wire.hint(COPYING, segment, lane=Lane.DAILY)

    with running(engine, wire, {COPYING: step}, concurrency=4, reaper=False):
        until(lambda: wire.broker.ready(VERIFY_QUEUE))
        until(lambda: wire.waiting == 1)

    assert step.rows == [segment]


def test_a_hint_that_was_lost_is_made_again_by_the_reaper(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)

    with running(engine, wire, {COPYING: step}):
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert step.rows == [segment]


FOREIGN = {
    b"garbage": "not_a_hint",
    b'{"type":"SegmentCopied","segment_id":1}': "not_a_hint",
    b'{"type":"SegmentThawed","segment_id":99999999999999999999}': "not_a_hint",
    b"\x00\xff": "not_a_hint",
}


def test_what_is_no_hint_for_the_queue_becomes_a_dead_letter_and_does_not_come_again(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    for body in FOREIGN:
        wire.send(COPYING.queue(Lane.DAILY), body)
    wire.hint(COPYING, segment)

    with running(engine, wire, {COPYING: step}, reaper=False):
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert [code for code, _ in letters(engine)] == list(FOREIGN.values())
    assert letters(engine)[1] == ("not_a_hint", "SegmentCopied does not belong on this queue")
    assert wire.broker._queues[COPYING.queue(Lane.DAILY)] == []


def test_hints_for_rows_that_do_not_exist_are_forgotten(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    wire.hint(COPYING, 4711)
    wire.hint(COPYING, segment)

    with running(engine, wire, {COPYING: step}, concurrency=1, reaper=False):
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert (step.rows, letters(engine)) == ([segment], [])


def test_after_a_transient_error_a_later_attempt_succeeds(engine: Engine) -> None:
    wire, segment = Wire(), a_segment(engine)
    step = Steps(StoreUnavailable("503"), StoreUnavailable("503"))
    wire.hint(COPYING, segment)

    with running(engine, wire, {COPYING: step}):
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert step.rows == [segment] * 3
    told = history(engine, row(engine, segment)["ingest_id"])  # type: ignore[arg-type]
    assert "Replicating to Azure retrying - segment 1: attempt 2 of 3: StoreUnavailable: 503" in told


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreUnavailable("503"), "StoreUnavailable: 503"),
        (KeyError("oops"), "an unexpected error: KeyError; see the worker's log"),
        (ConfigurationError("location x is not known"), "an unexpected error: location x is not known"),
    ],
)
def test_an_error_at_every_attempt_ends_as_a_dead_letter_with_its_reason(
    engine: Engine, error: Exception, reason: str
) -> None:
    wire, step, segment = Wire(), Steps(then=error), a_segment(engine)

    with running(engine, wire, {COPYING: step}):
        until(lambda: state_of(engine, segments, segment) == "failed")

    assert step.rows == [segment] * QUICK.attempts
    assert letters(engine) == [("attempts_exhausted", reason)]
    assert state_of(engine, ingests, row(engine, segment)["ingest_id"]) == "failed"


def test_a_refusal_of_the_store_fails_the_ingest_at_once_with_the_store_s_words(engine: Engine) -> None:
    wire, segment = Wire(), a_segment(engine)
    step = Steps(AccessDenied("s3:GetObject is denied"))

    with running(engine, wire, {COPYING: step}):
        until(lambda: state_of(engine, segments, segment) == "failed")

    assert step.rows == [segment]
    failed = row(engine, segment)
    assert (failed["error_code"], failed["last_error"]) == ("access_denied", "s3:GetObject is denied")


def test_a_row_whose_facts_cannot_be_read_kills_no_worker_and_is_buried_in_the_end(engine: Engine) -> None:
    wire, step, bad, good = Wire(), Steps(), a_segment(engine), a_segment(engine)
    with transaction(engine) as connection:
        connection.execute(update(segments).where(segments.c.id == bad).values(files=[{"path": "data/a"}]))
    wire.hint(COPYING, bad)

    with running(engine, wire, {COPYING: step}, concurrency=1):
        until(lambda: state_of(engine, segments, bad) == "failed")
        until(lambda: state_of(engine, segments, good) == "verifying")

    assert step.rows == [good]
    assert letters(engine) == [("attempts_exhausted", "an unexpected error: KeyError; see the worker's log")]


def test_what_was_deposited_today_comes_before_any_campaign(engine: Engine) -> None:
    wire, step = Wire(), Steps()
    campaign, today = ([a_segment(engine) for _ in range(5)] for _ in range(2))
    for segment in campaign:
        wire.hint(COPYING, segment)
    for segment in today:
        wire.hint(COPYING, segment, lane=Lane.DAILY)

    with running(engine, wire, {COPYING: step}, concurrency=1, reaper=False):
        until(lambda: len(step.rows) == 10)

    assert step.rows == today + campaign


def test_waiting_costs_no_attempt_and_no_message(engine: Engine) -> None:
    wire, segment = Wire(), a_segment(engine)
    step = Steps(*[Wait(timedelta(milliseconds=1), "a thaw")] * 10)

    with running(engine, wire, {COPYING: step}):
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert len(step.rows) == 11
    assert letters(engine) == []


def states(engine: Engine, rows: list[int]) -> set[str]:
    with transaction(engine) as connection:
        return set(connection.execute(select(segments.c.state).where(segments.c.id.in_(rows))).scalars())


class Unruly:
    """Answers at random, and counts how many of it run at the same time."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lock = threading.Lock()
        self.here = self.most = 0
        self.calls: Counter[int] = Counter()

    def __call__(self, job: SegmentJob) -> Outcome:
        with self.lock:
            self.here += 1
            self.most = max(self.most, self.here)
            self.calls[job.segment_id] += 1
            answer = self.random.choice(self._answers())
        try:
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            with self.lock:
                self.here -= 1

    def _answers(self) -> list[Outcome | Exception]:
        return [
            Done(said=""),
            StoreUnavailable("503"),
            ZeroDivisionError("ours"),
            AccessDenied("no"),
            Wait(timedelta(milliseconds=1), "w"),
            Rejected(code="source_vanished", why="gone", for_user="gone"),
            "not an outcome",  # type: ignore[list-item]
        ]


def test_after_two_hundred_unruly_hints_every_hand_is_free_again_and_no_more_than_there_were(engine: Engine) -> None:
    wire, unruly, random = Wire(), Unruly(Random(3)), Random(4)
    rows = [a_segment(engine) for _ in range(40)]
    for segment in random.choices(rows, k=160):
        wire.hint(COPYING, segment)
    for _ in range(40):
        wire.send(COPYING.queue(Lane.BACKFILL), random.randbytes(20))
    wire.acks_fail = 3
    together = threading.Barrier(5)
    orderly: set[int] = set()

    def step(job: SegmentJob) -> Outcome:
        if job.segment_id not in orderly:
            return unruly(job)
        together.wait(10)
        return Done(said="")

    with running(
        engine, wire, {COPYING: step}, concurrency=4, patience=replace(QUICK, hint_again=timedelta(minutes=1))
    ) as run:
        until(lambda: "copying" not in states(engine, rows), seconds=40)
        until(lambda: not run.worker._running)
        orderly |= {a_segment(engine) for _ in range(5)}
        until(lambda: together.n_waiting == 4)
        assert run.worker._free._value == 0
        orderly.clear()
        together.reset()

    assert unruly.most <= 4
    assert states(engine, rows) == {"verifying", "failed"}
    assert [code for code, _ in letters(engine)].count("not_a_hint") == 40


def test_a_bag_s_segments_settle_side_by_side_and_move_it_on_once(engine: Engine) -> None:
    wire, backfill = Wire(), a_backfill(engine, state="transferring")
    rows = some_segments(engine, backfill, states=["verifying"] * 30)
    for segment in rows:
        wire.hint(VERIFYING, segment)

    with running(engine, wire, {VERIFYING: Steps()}, concurrency=6, reaper=False):
        until(lambda: all(state_of(engine, segments, segment) == "verified" for segment in rows))
        until(lambda: wire.waiting)

    assert wire.waiting == 1
    told = [line for line in history(engine, backfill.ingest_id) if "succeeded" in line]
    assert len(told) == 1
