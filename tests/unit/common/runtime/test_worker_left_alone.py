"""The worker loop while things go away: its row, its process' time, the broker, the ledger."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, text, update

from common.jobs import SegmentJob
from common.ledger.engine import sqlalchemy_url, transaction
from common.ledger.tables import segments
from common.outcome import Done, Outcome
from common.topology import COPYING, VERIFYING, Lane
from local_stack.servers.postgres_address import PostgresAddress
from unit.common.ledger.builders import hints, state_of
from unit.common.runtime.workers import (
    QUICK,
    Steps,
    Wire,
    a_segment,
    letters,
    outbox_size,
    row,
    running,
    until,
)

VERIFY_QUEUE = VERIFYING.queue(Lane.BACKFILL)


def take_away(engine: Engine, segment: int) -> None:
    """Another worker claims the row."""
    with transaction(engine) as connection:
        connection.execute(
            update(segments).where(segments.c.id == segment).values(fence=segments.c.fence + 1, claimed_by="other")
        )


@pytest.mark.parametrize("looks", [True, False])
def test_a_worker_that_loses_its_row_while_it_works_commits_nothing(engine: Engine, looks: bool) -> None:
    wire, segment, begun, go_on, noticed = Wire(), a_segment(engine), *(threading.Event() for _ in range(3))

    def step(job: SegmentJob) -> Outcome:
        begun.set()
        assert go_on.wait(10)
        try:
            while looks:
                job.hold.checkpoint()
        except Exception:
            noticed.set()
            raise
        return Done(said="too late")

    wire.hint(COPYING, segment)
    with running(engine, wire, {COPYING: step}, reaper=False) as run:
        assert begun.wait(10)
        take_away(engine, segment)
        go_on.set()
        until(lambda: not run.worker._running)

    lost = row(engine, segment)
    assert (lost["state"], lost["claimed_by"], lost["attempts"]) == ("copying", "other", 1)
    assert hints(engine) == []
    assert noticed.is_set() == looks


def test_a_lease_is_renewed_for_as_long_as_work_takes(engine: Engine) -> None:
    wire, segment, release = Wire(), a_segment(engine), threading.Event()
    given: list[int] = []

    def step(job: SegmentJob) -> Outcome:
        given.append(job.segment_id)
        assert release.wait(10)
        return Done(said="")

    patience = replace(QUICK, lease=timedelta(milliseconds=400))
    wire.hint(COPYING, segment)
    with running(engine, wire, {COPYING: step}, patience=patience):
        until(lambda: given)
        first = row(engine, segment)["lease_until"]
        until(lambda: row(engine, segment)["lease_until"] > first + timedelta(seconds=1))  # type: ignore[operator]
        release.set()
        until(lambda: state_of(engine, segments, segment) == "verifying")

    assert given == [segment]


def test_a_worker_that_is_stopped_lets_go_of_its_row_at_no_cost(engine: Engine) -> None:
    wire, segment, begun = Wire(), a_segment(engine), threading.Event()

    def step(job: SegmentJob) -> Outcome:
        begun.set()
        while True:
            job.hold.checkpoint()
            time.sleep(0.001)

    wire.hint(COPYING, segment)
    with running(engine, wire, {COPYING: step}, reaper=False) as run:
        assert begun.wait(10)
        run.stop()

    left = row(engine, segment)
    assert (left["state"], left["attempts"], left["lease_until"], left["claimed_by"]) == ("copying", 0, None, None)
    assert (outbox_size(engine), wire.broker.ready(COPYING.queue(Lane.BACKFILL))) == (0, 1), "the hint is on its way"


def test_a_step_that_ends_before_the_stop_is_committed(engine: Engine) -> None:
    wire, segment, begun = Wire(), a_segment(engine), threading.Event()

    def step(_job: SegmentJob) -> Outcome:
        begun.set()
        time.sleep(0.1)
        return Done(said="")

    wire.hint(COPYING, segment)
    with running(engine, wire, {COPYING: step}, reaper=False) as run:
        assert begun.wait(10)
        run.stop()

    assert state_of(engine, segments, segment) == "verifying"


def test_without_a_broker_the_worker_waits_and_goes_on_when_it_is_back(engine: Engine) -> None:
    wire, step, first, second = Wire(), Steps(), a_segment(engine), a_segment(engine)
    wire.hint(COPYING, first)

    with running(engine, wire, {COPYING: step}, reaper=False) as run:
        until(lambda: state_of(engine, segments, first) == "verifying")
        wire.down.set()
        until(lambda: not run.worker.connected)
        wire.broker.lose_everything()
        wire.down.clear()
        wire.hint(COPYING, second)
        until(lambda: state_of(engine, segments, second) == "verifying")
        until(lambda: run.worker.connected)

    assert step.rows == [first, second]


def test_a_row_is_worked_on_though_its_ack_was_lost(engine: Engine) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    wire.acks_fail = 1
    wire.hint(COPYING, segment)

    with running(engine, wire, {COPYING: step}, concurrency=1, reaper=False):
        until(lambda: state_of(engine, segments, segment) == "verifying")
        until(lambda: wire.waiting == wire.broker.ready(VERIFY_QUEUE) == 1)

    assert step.rows == [segment]


def test_without_a_ledger_a_message_is_given_back_and_dealt_with_when_it_is_there_again(
    engine: Engine, database: str, postgres: PostgresAddress
) -> None:
    wire, step, segment = Wire(), Steps(), a_segment(engine)
    name = database.rsplit("/", 1)[1].partition("?")[0]
    admin = create_engine(sqlalchemy_url(postgres.dsn("postgres")), isolation_level="AUTOCOMMIT")

    with running(engine, wire, {COPYING: step}, concurrency=1, reaper=False) as run, admin.connect() as connection:
        until(lambda: run.worker.connected)
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        wire.hint(COPYING, segment)
        wire.send(COPYING.queue(Lane.DAILY), b"garbage")
        until(lambda: not run.worker.connected)
        until(lambda: wire.waiting == 2)
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        until(lambda: state_of(engine, segments, segment) == "verifying")

    admin.dispose()
    assert step.rows == [segment]
    assert [code for code, _ in letters(engine)] == ["not_a_hint"]
