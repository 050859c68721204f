"""A worker as a process: everything wired, started, and stopped by SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random, SystemRandom

import structlog
from sqlalchemy import Engine, text

from common.domain.fixity import hashing
from common.errors import BackfillError, ConfigurationError
from common.ledger.engine import open_engine, transaction
from common.ledger.migrations import upgrade
from common.processors import interrupt_nobody
from common.runtime.health import serve_health
from common.runtime.housekeeping import OpenCourier, Relay, reap_in_turn, reaping_period
from common.runtime.leases import Leases, every
from common.runtime.logs import set_up_logs
from common.runtime.memory import settle_memory
from common.runtime.settings import WorkerSettings, build, worker_name
from common.runtime.worker import Identity, Step, Worker
from common.topology import Stage, queues_of

log = structlog.get_logger()

CHORES = timedelta(minutes=5)
"""How often a process asks whether there is something to do beside its steps."""


def run_worker(
    service: str,
    settings: WorkerSettings,
    *,
    steps: Mapping[Stage, Step],
    engine: Engine,
    open_courier: OpenCourier,
    chores: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """Run a service's worker until SIGTERM or SIGINT; returns when its work is let go of.

    `chores` by name are called every few minutes, from a thread each.
    """
    stopping = stop_on_signal()
    wait_for_ledger(engine, stopping)
    random = Random(SystemRandom().getrandbits(64))
    leases = Leases(engine=engine, lease=settings.lease, stopping=stopping)
    relay = Relay(engine=engine, open_courier=open_courier, random=random)
    worker = Worker(
        engine=engine,
        open_courier=open_courier,
        queues=queues_of(service),
        steps=steps,
        identity=Identity(worker=worker_name(service), build=build(service)),
        patience=settings.patience,
        relay=relay,
        leases=leases,
        stopping=stopping,
        concurrency=settings.concurrency,
        random=random,
    )
    ended = threading.Event()
    every(leases.period, leases.renew_all, until=ended, name="leases")
    start_housekeeping(settings, engine=engine, relay=relay, until=ended, random=random)
    for name, chore in (chores or {}).items():
        every(reaping_period(CHORES, random), chore, until=ended, name=name)
    if settings.health_port:
        serve_health(port=settings.health_port, alive=lambda: _alive(worker), ready=lambda: ready(worker))
    settle_memory()
    # From here on: what began before (leases, health, a service's HTTP) answers at once, as it did.
    interrupt_nobody()
    log.info("listening", queues=queues_of(service), worker=worker_name(service), hashing=hashing())
    try:
        worker.run(stop_within=settings.stop_within)
    finally:
        ended.set()
        relay.stop(timeout=5)
        log.info("stopped")


def start_housekeeping(
    settings: WorkerSettings, *, engine: Engine, relay: Relay, until: threading.Event, random: Random
) -> None:
    """Start the relay of this process, and its turns at the reaper's looks."""
    relay.start()
    period = settings.housekeeping_period
    every(
        reaping_period(period, random),
        lambda: reap_in_turn(engine=engine, patience=settings.patience, relay=relay, every=period),
        until=until,
        name="reaper",
    )


def prepare(service: str, settings: WorkerSettings, *, pool_size: int) -> Engine:
    """Logs on, schema up to date, an engine for this process."""
    set_up_logs(service=service, log_format=settings.log_format, level=settings.log_level)
    dsn = settings.database_url.get_secret_value()
    _patiently(lambda: upgrade(dsn))
    return open_engine(dsn, name=worker_name(service), pool_size=pool_size)


def _patiently(action: Callable[[], None], *, tries: int = 30) -> None:
    """The database may start after us."""
    for left in range(tries, -1, -1):
        try:
            action()
            return
        except Exception as error:
            if not left or isinstance(error, BackfillError):
                raise
            log.warning("waiting for the ledger", error=str(error).splitlines()[0])
            time.sleep(1)


def wait_for_ledger(engine: Engine, stopping: threading.Event) -> None:
    """Return when the ledger answers, or when asked to stop."""
    while not stopping.is_set():
        try:
            with transaction(engine) as connection:
                connection.execute(text("SELECT 1"))
            return
        except BackfillError as error:
            log.warning("waiting for the ledger", error=str(error))
            stopping.wait(1)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def _alive(worker: Worker) -> dict[str, str]:
    silent = time.monotonic() - worker.last_contact
    return {"loop": f"has not come round for {silent:.0f} s"} if silent > 60 else {}


def ready(worker: Worker) -> dict[str, str]:
    """What keeps the worker from working, by what; empty: nothing."""
    problems = {} if worker.connected else {"connections": "broker or ledger cannot be reached"}
    return problems | ({"disk": "no space left for temporary files"} if worker.disk_full else {})


def exit_on_bad_settings(main: Callable[[], None]) -> None:
    """Run `main`; a ConfigurationError is told to the operator in plain words, with exit status 2."""
    try:
        main()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
