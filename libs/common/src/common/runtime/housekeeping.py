"""Housekeeping that every process does: publish the outbox, reap what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random

import structlog
from sqlalchemy import Engine

from common.errors import BrokerUnavailable, LedgerUnavailable
from common.ledger import outbox, reaper, stalls, upkeep, windows
from common.ledger.claims import Claim, Patience
from common.ledger.cold import counting as cold
from common.ledger.coverage import counting as coverage
from common.ledger.engine import reading, transaction
from common.ports import Courier
from common.topology import QUEUES

log = structlog.get_logger()

OpenCourier = Callable[[], Courier]

_REST = 0.05
"""Seconds: a hint that comes alone waits for nothing, one of many for less than anybody notices."""


class Relay:
    """Takes hints from the outbox to the broker, in its own thread on its own connection."""

    def __init__(
        self,
        *,
        engine: Engine,
        open_courier: OpenCourier,
        random: Random,
        idle: float = 1.0,
        rest: float = _REST,
    ) -> None:
        """Rounds begin at least `rest` seconds apart: under load many hints share one."""
        self._engine = engine
        self._open = open_courier
        self._random = random
        self._idle = idle
        self._rest = rest
        self._courier: Courier | None = None
        self._declared: set[str] = set()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something in the outbox."""
        self._wake.set()

    def stop(self, *, timeout: float) -> None:
        """Publish what is there and end."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            last = self._stop.is_set()
            self._wake.clear()
            begun = time.monotonic()
            healthy = self.publish_all()
            if last:
                break
            # Without a broker the hints wait in the outbox; jitter keeps many workers from coming back at once.
            self._wake.wait(self._idle) if healthy else self._stop.wait(self._idle * (1 + self._random.random()))
            self._stop.wait(max(0.0, begun + self._rest - time.monotonic()))
        self._drop()

    def publish_all(self) -> bool:
        """Publish until nothing waits. False: broker or ledger could not be reached."""
        try:
            courier = self._connected()
            # Nothing is received: contact is what keeps an idle connection's heartbeats alive.
            courier.receive([], wait=0)
            while True:
                with transaction(self._engine) as connection:
                    published = outbox.relay(connection, publish=partial(self._publish, courier))
                # Who posts after this look wakes this thread.
                if published < outbox.AT_MOST:
                    return True
        except BrokerUnavailable as error:
            log.warning("broker unavailable", error=str(error))
            self._drop()
        except LedgerUnavailable as error:
            log.warning("ledger unavailable", task="relay", error=str(error))
        except Exception:
            log.exception("relay failed")
            self._drop()
        return False

    def _publish(self, courier: Courier, *, queue: str, body: bytes, message_id: str) -> None:
        """Whoever posted it, this process may be the first to publish to its queue: those of events are optional."""
        if queue not in self._declared:
            courier.declare([queue])
            self._declared.add(queue)
        courier.publish(queue=queue, body=body, message_id=message_id)

    def _connected(self) -> Courier:
        if self._courier is None:
            courier = self._open()
            courier.declare(list(QUEUES))
            self._courier, self._declared = courier, set(QUEUES)
        return self._courier

    def _drop(self) -> None:
        courier, self._courier = self._courier, None
        if courier is not None:
            try:
                courier.close()
            except Exception as error:
                log.debug("courier did not close", error=str(error))


_EARLY = 0.9
"""Of a period: who looks every period, more or less, finds that it is its turn where no other process looks."""


def reap_in_turn(*, engine: Engine, patience: Patience, relay: Relay, every: timedelta) -> None:
    """The same as `reap_once` where no process has looked for about `every`; otherwise one statement."""
    with reading(engine) as connection:
        ours = upkeep.take_turn(connection, task="reaper", every=every * _EARLY)
    if ours:
        reap_once(engine=engine, patience=patience, relay=relay)


def reap_once(*, engine: Engine, patience: Patience, relay: Relay) -> None:
    """One look of the reaper, its hints on their way, and a word about what has stalled since the last one.

    The sums of coverage and of storage classes are brought together meanwhile.
    """
    with transaction(engine) as connection:
        due = reaper.reap(connection, patience=patience)
    if due:
        log.info("rows were due", count=due)
        relay.wake()
    with transaction(engine) as connection:
        stalled = stalls.mark(connection)
    with transaction(engine) as connection:
        coverage.fold(connection)
    with transaction(engine) as connection:
        cold.fold(connection)
    for one in stalled:
        log.warning(
            "row stalled",
            stage=one.stage.name,
            row=one.row_id,
            since=one.since.isoformat(),
            reason=one.reason,
            error=one.last_error,
        )


def make_room(*, engine: Engine, claim: Claim, patience: Patience, relay: Relay) -> None:
    """A claimed segment's place in its replica's window is the next one's, now and not when this one ends."""
    try:
        with transaction(engine) as connection:
            hinted = windows.refill(connection, claim, patience=patience)
    except LedgerUnavailable as error:
        # No reason not to work: the reaper fills windows too.
        log.warning("window not filled", row=claim.row_id, error=str(error))
        return
    if hinted:
        relay.wake()


def reaping_period(configured: timedelta, random: Random) -> float:
    """Seconds between two looks, up to a tenth longer, so that many processes spread out."""
    return configured.total_seconds() * (1 + random.random() / 10)
