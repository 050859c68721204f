"""A worker that the kernel kills for want of memory, with a row that will kill every worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, select, update

from common.adapters.queues import pgmq_schema
from common.adapters.queues.registry import open_courier
from common.jobs import SegmentJob
from common.ledger.claims import Patience
from common.ledger.engine import open_engine, transaction
from common.ledger.tables import segments
from common.outcome import Outcome
from common.runtime.housekeeping import Relay, reap_once
from common.runtime.leases import Leases, every
from common.runtime.worker import Identity, Worker
from common.topology import COPYING, Lane
from resources.confined import TESTS
from unit.common.ledger.builders import a_file, history
from unit.common.runtime.workers import a_segment, letters, row, until

PATIENCE = Patience(lease=timedelta(seconds=1), hint_again=timedelta(milliseconds=300))
GROUPS = Path("/sys/fs/cgroup/memory")
MIB = 1 << 20
_PROCESS = "import sys; from resources.test_out_of_memory import work; work(sys.argv[1])"


def work(dsn: str) -> None:
    """A copying worker with a step that needs more memory than there is. Does not return."""
    engine = open_engine(dsn, name="hungry", pool_size=5)
    stopping = threading.Event()
    relay = Relay(engine=engine, open_courier=lambda: open_courier(dsn), random=Random(1), idle=0.1)
    relay.start()
    every(0.1, lambda: reap_once(engine=engine, patience=PATIENCE, relay=relay), until=stopping, name="reaper")
    leases = Leases(engine=engine, lease=PATIENCE.lease, stopping=stopping)
    every(0.3, leases.renew_all, until=stopping, name="leases")
    Worker(
        engine=engine,
        open_courier=lambda: open_courier(dsn),
        queues=[COPYING.queue(lane) for lane in Lane],
        steps={COPYING: hungry},
        identity=Identity(worker=f"hungry@here:{os.getpid()}", build="b"),
        patience=PATIENCE,
        relay=relay,
        leases=leases,
        stopping=stopping,
        concurrency=1,
        random=Random(1),
    ).run(stop_within=timedelta(0))


def hungry(job: SegmentJob) -> Outcome:
    """Takes memory until the kernel kills the process; where nothing limits it, does what the kernel would."""
    taken = [b"x" * (MIB + number) for number in range(600)]
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(len(taken))


@contextmanager
def little_memory() -> Iterator[list[str]]:
    """What to put before a command so that it has 300 MiB; nothing where no group can be made here."""
    group = GROUPS / f"backfill-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(300 * MIB))
    except OSError:
        yield []
        return
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test", pool_size=5)
    yield engine
    engine.dispose()


@pytest.mark.slow
def test_a_row_that_kills_three_workers_fails_and_the_largest_file_is_named(engine: Engine, database: str) -> None:
    pgmq_schema.install(database)
    segment = a_segment(engine)
    files = [a_file("data/small.txt", 9), a_file("data/x.tif", 48 * 10**9)]
    with transaction(engine) as connection:
        connection.execute(update(segments).values(files=[file.to_json() for file in files]))
        ingest_id = connection.execute(select(segments.c.ingest_id)).scalar_one()
    codes: list[int] = []

    with little_memory() as limited:
        while row(engine, segment)["state"] == "copying" and len(codes) < 5:
            codes.append(_one_life(limited, database, engine, segment))

    (letter,) = letters(engine)
    assert codes[:3] == [-signal.SIGKILL] * 3
    assert letter[0] == "worker_vanished"
    assert letter[1].startswith("3 workers vanished at copying; the last was hungry@here:")
    assert letter[1].endswith("; the largest file is data/x.tif (48.0 GB)")
    assert history(engine, ingest_id)[-1].startswith(
        "Replicating to Azure failed - segment 1: gave up after 3 attempts"
    )


def _one_life(limited: list[str], dsn: str, engine: Engine, segment: int) -> int:
    """The exit status of a worker that lives until it is killed, or until its row has failed."""
    process = subprocess.Popen(
        [*limited, sys.executable, "-c", _PROCESS, dsn],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stderr=subprocess.DEVNULL,
    )
    until(lambda: process.poll() is not None or row(engine, segment)["state"] == "failed", seconds=60)
    if process.poll() is None:
        process.terminate()
    return process.wait(10)
