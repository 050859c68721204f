"""A worker with its side threads, on a real ledger and a broker in memory that can break."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from random import Random

from sqlalchemy import Engine, select

from common.adapters.queues.memory import MemoryBroker, MemoryCourier
from common.errors import BrokerUnavailable
from common.jobs import SegmentJob
from common.ledger import outbox
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.tables import WORK, dead_letters
from common.messages import encode
from common.outcome import Done, Outcome
from common.ports import Courier, Delivery
from common.runtime.housekeeping import Relay, reap_once
from common.runtime.leases import Leases, every
from common.runtime.worker import Identity, Step, Worker
from common.topology import COPYING, QUEUES, Lane, Stage, hint_for
from unit.common.ledger.builders import a_backfill, some_segments

QUICK = Patience(
    lease=timedelta(seconds=30),
    attempts=3,
    back_off=timedelta(milliseconds=10),
    hint_again=timedelta(milliseconds=100),
)
_ids = count(1)


def until(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.01)


class Wire:
    """A broker, and whether it can be reached."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.down = threading.Event()
        self.acks_fail = 0
        """How many acks from now on are lost with their connection."""
        self.opened = 0

    def open(self) -> Courier:
        self.check()
        self.opened += 1
        return _WireCourier(self, MemoryCourier(broker=self.broker))

    def check(self) -> None:
        if self.down.is_set():
            raise BrokerUnavailable("connection refused")

    def send(self, queue: str, body: bytes) -> None:
        self.broker.declare(queue)
        self.broker.publish(queue, body, str(next(_ids)))

    def hint(self, stage: Stage, row_id: int, *, lane: Lane = Lane.BACKFILL) -> None:
        self.send(stage.queue(lane), encode(hint_for(stage, row_id)))

    @property
    def waiting(self) -> int:
        """Messages that could be delivered now."""
        for queue in QUEUES:
            self.broker.declare(queue)
        return sum(self.broker.ready(queue) for queue in QUEUES)


class _WireCourier:
    def __init__(self, wire: Wire, inner: MemoryCourier) -> None:
        self._wire = wire
        self._inner = inner

    def declare(self, queues: Sequence[str]) -> None:
        self._wire.check()
        self._inner.declare(queues)

    def publish(self, *, queue: str, body: bytes, message_id: str) -> None:
        self._wire.check()
        self._inner.publish(queue=queue, body=body, message_id=message_id)

    def receive(self, queues: Sequence[str], *, wait: float) -> Delivery | None:
        self._wire.check()
        return self._inner.receive(queues, wait=min(wait, 0.05))

    def ack(self, delivery: Delivery) -> None:
        if self._wire.acks_fail:
            self._wire.acks_fail -= 1
            self._inner.give_back(delivery)
            raise BrokerUnavailable("the connection was reset")
        self._inner.ack(delivery)

    def give_back(self, delivery: Delivery) -> None:
        self._inner.give_back(delivery)

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        return self._inner.depths(queues)

    def close(self) -> None:
        self._inner.close()


class Running:
    """What a test may do to a worker that runs."""

    def __init__(
        self, engine: Engine, wire: Wire, steps: Mapping[Stage, Step], *, concurrency: int, patience: Patience
    ) -> None:
        self.stopping, self.ended = threading.Event(), threading.Event()
        self.relay = Relay(engine=engine, open_courier=wire.open, random=Random(1), idle=0.02)
        self.leases = Leases(engine=engine, lease=patience.lease, stopping=self.stopping)
        self.worker = Worker(
            engine=engine,
            open_courier=wire.open,
            queues=[stage.queue(lane) for lane in Lane for stage in steps],
            steps=steps,
            identity=Identity(worker="w", build="b"),
            patience=patience,
            relay=self.relay,
            leases=self.leases,
            stopping=self.stopping,
            concurrency=concurrency,
            random=Random(1),
        )
        self._reap = lambda: reap_once(engine=engine, patience=patience, relay=self.relay)
        self._thread = threading.Thread(target=self.worker.run, kwargs={"stop_within": timedelta(seconds=10)})

    def start(self, *, reaper: bool) -> None:
        self.relay.start()
        every(0.05, self.leases.renew_all, until=self.ended, name="leases")
        if reaper:
            every(0.05, self._reap, until=self.ended, name="reaper")
        self._thread.start()

    def stop(self) -> None:
        """As SIGTERM does; returns when the worker has let go of its rows."""
        self.stopping.set()
        self._thread.join(15)
        assert not self._thread.is_alive(), "the worker does not stop"
        self.ended.set()
        self.relay.stop(timeout=5)


@contextmanager
def running(
    engine: Engine,
    wire: Wire,
    steps: Mapping[Stage, Step],
    *,
    concurrency: int = 2,
    patience: Patience = QUICK,
    reaper: bool = True,
) -> Iterator[Running]:
    run = Running(engine, wire, steps, concurrency=concurrency, patience=patience)
    run.start(reaper=reaper)
    try:
        yield run
    finally:
        run.stop()


class Steps:
    """A COPYING step that notes which rows it was given and answers as it is told."""

    def __init__(self, *answers: Outcome | Exception, then: Outcome | Exception | None = None) -> None:
        self.rows: list[int] = []
        self._answers = iter(answers)
        self._then = then or Done(said="1 file, 3 bytes")
        self._lock = threading.Lock()

    def __call__(self, job: SegmentJob) -> Outcome:
        with self._lock:
            self.rows.append(job.segment_id)
            answer = next(self._answers, self._then)
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_segment(engine: Engine) -> int:
    """A segment of its own backfill that may be copied."""
    return some_segments(engine, a_backfill(engine, state="transferring"), states=["copying"])[0]


def row(engine: Engine, row_id: int, *, stage: Stage = COPYING) -> dict[str, object]:
    table = WORK[stage.kind]
    with transaction(engine) as connection:
        return dict(connection.execute(select(table).where(table.c.id == row_id)).one()._mapping)


def letters(engine: Engine) -> list[tuple[str, str]]:
    """Codes and reasons of the dead letters."""
    with transaction(engine) as connection:
        return [(r.code, r.reason) for r in connection.execute(select(dead_letters).order_by(dead_letters.c.id))]


def outbox_size(engine: Engine) -> int:
    with transaction(engine) as connection:
        return outbox.waiting(connection)
