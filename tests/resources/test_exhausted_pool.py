"""No database connection to be had: hints are given back, no attempt is lost, and work goes on when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from common.errors import LedgerUnavailable
from common.jobs import SegmentJob
from common.ledger.engine import open_engine, sqlalchemy_url, transaction
from common.outcome import Done, Outcome
from common.topology import COPYING
from unit.common.runtime.workers import Wire, a_segment, letters, row, running, until


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test", pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def tight(database: str) -> Iterator[Engine]:
    """Two connections, and a short patience for a third."""
    engine = create_engine(sqlalchemy_url(database), pool_size=2, max_overflow=0, pool_timeout=0.1)
    yield engine
    engine.dispose()


def test_a_worker_without_a_connection_gives_its_hint_back_and_loses_no_attempt(engine: Engine, tight: Engine) -> None:
    wire, segment = Wire(), a_segment(engine)
    attempts: list[int] = []

    def step(job: SegmentJob) -> Outcome:
        attempts.append(job.attempt.number)
        return Done(said="1 file")

    held = [tight.connect(), tight.connect()]
    with running(tight, wire, {COPYING: step}, reaper=False) as run:
        wire.hint(COPYING, segment)
        opened = wire.opened
        # It meets the empty pool more than once, each time on a new connection to the broker.
        until(lambda: wire.opened > opened + 2)
        until(lambda: not run.worker.connected)
        facts = row(engine, segment)
        for connection in held:
            connection.close()
        until(lambda: row(engine, segment)["state"] == "verifying")

    untouched = [facts[name] for name in ("state", "attempts", "fence", "claimed_by")]
    assert untouched == ["copying", 0, 0, None]
    assert (attempts, letters(engine)) == ([1], [])


def test_a_server_that_has_no_connection_left_is_tried_again_later(database: str, engine: Engine) -> None:
    parts = urlsplit(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE one_at_a_time LOGIN PASSWORD 'x' CONNECTION LIMIT 1")
    dsn = f"postgresql://one_at_a_time:x@{parts.hostname}:{parts.port}{parts.path}"
    try:
        with psycopg.connect(dsn), pytest.raises(LedgerUnavailable, match="too many connections"):
            _asked(dsn)
        assert _asked(dsn) == 1
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP ROLE one_at_a_time")


def _asked(dsn: str) -> int:
    engine = open_engine(dsn, name="second")
    try:
        with transaction(engine) as connection:
            return int(connection.execute(text("SELECT 1")).scalar_one())
    finally:
        engine.dispose()
