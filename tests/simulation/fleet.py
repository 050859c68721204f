"""Every service as processes, wired by their own wirings to the simulated world, started again when they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import backfill_replicator.settings
import backfill_replicator.wiring
import bag_warmer.settings
import bag_warmer.wiring
import replica_aggregator.wiring
import verifier.settings
import verifier.wiring
from bag_register.step import register
from common.domain.location import LocationId
from common.errors import LedgerUnavailable
from common.ledger.claims import Claim
from common.pools import InTurn
from common.runtime.housekeeping import Relay, reap_once
from common.runtime.leases import Grip, Leases
from common.runtime.worker import Identity, Step, Worker
from common.topology import REGISTERING, Stage, queues_of
from simulation.broker import SimulatedBroker, SimulatedCourier
from simulation.ledger import After, Ledger, SimulatedEngine
from simulation.places import Place
from simulation.shapes import COLD, Shape
from simulation.stores import SimulatedStores
from simulation.world import Event, Process, Task, World

SERVICES = ("bag_warmer", "backfill_replicator", "verifier", "replica_aggregator", "bag_register")
HOUSEKEEPING = 5.0


class _Waker:
    """All that a worker wants of its Relay; the processes called housekeeper publish for everybody."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake


class _Leases(Leases):
    """Leases whose renewals sleep while there is nothing to renew."""

    process: Process
    renewals: Task

    def grip(self, claim: Claim) -> Grip:
        self.process.claim, self.process.claimed_at = claim, self.process.world.now
        self.process.world.say(f"claimed {claim.kind} {claim.row_id} for {claim.stage.name}, fence {claim.fence}")
        self.process.world.wake(self.renewals, after=self.period)
        return super().grip(claim)

    def renew_for_ever(self) -> None:
        world = self.process.world
        while True:
            if not self._held:
                world.sleep(None)
            else:
                world.sleep(self.period)
            self.renew_all()


@dataclass(eq=False)
class Fleet:
    """All processes."""

    world: World
    shape: Shape
    ledger: Ledger
    broker: SimulatedBroker
    places: Mapping[LocationId, Place]
    after: Callable[[After, Process], None]
    crashed: Callable[[Process, Exception], None]
    unstuck: Callable[[object], None]
    ledger_down_until: float = -1.0
    notify: Callable[[Process, Any], None] | None = None
    """What the notifier does, where somebody wants to be called back."""
    housekeepers: dict[Process, tuple[Task, Task]] = field(default_factory=dict)
    notifiers: dict[Process, Task] = field(default_factory=dict)
    alive: list[Process] = field(default_factory=list)
    _count: int = 0

    def start(self) -> None:
        for _ in range(self.shape.workers):
            for service in SERVICES:
                self.start_worker(service)
            self.start_housekeeper()
            if self.notify:
                self.start_notifier()

    def process(self, service: str, again: Callable[[], None] | None) -> Process:
        self._count += 1
        process = Process(
            self.world,
            f"{service}@sim:{self._count}",
            on_death=lambda process: self._died(process, again),
            on_crash=self.crashed,
        )
        self.alive.append(process)
        return process

    def engine(self, process: Process) -> SimulatedEngine:
        def after(found: After) -> None:
            self.after(found, process)

        return SimulatedEngine(self.ledger, process, down=lambda: self.world.now < self.ledger_down_until, after=after)

    def start_worker(self, service: str) -> None:
        world = self.world
        process = self.process(service, lambda: self.start_worker(service))
        engine: Any = self.engine(process)
        stores = SimulatedStores(dict(self.places), process, cold=COLD.id, unstuck=self.unstuck)
        stopping: Any = Event(world)
        leases = _Leases(engine=engine, lease=self.shape.patience.lease, stopping=stopping)
        leases.process = process
        worker = Worker(
            engine=engine,
            open_courier=lambda: SimulatedCourier(self.broker, process),
            queues=queues_of(service),
            steps=self._steps(service, engine, stores),
            identity=Identity(worker=process.name, build=f"{service} simulated"),
            patience=self.shape.patience,
            relay=_Waker(lambda: None),  # type: ignore[arg-type]
            leases=leases,
            stopping=stopping,
            concurrency=1,
            random=Random(self._count),
            pool=InTurn(),
        )
        leases.renewals = world.start(process, "leases", leases.renew_for_ever)
        loop = world.start(process, "loop", lambda: self._work(process, worker))

        def stop() -> None:
            stopping.set()
            if loop is not world.current:
                world.wake(loop, after=0.0)

        process.stop = stop

    def _work(self, process: Process, worker: Worker) -> None:
        worker.run(stop_within=timedelta(0))
        process.end()

    def start_housekeeper(self) -> None:
        process = self.process("housekeeper", self.start_housekeeper)
        engine: Any = self.engine(process)
        relay = Relay(engine=engine, open_courier=lambda: SimulatedCourier(self.broker, process), random=Random(0))
        tasks = (
            self.world.start(process, "relay", lambda: self._relay(relay)),
            self.world.start(process, "reaper", lambda: self._reap(engine, relay)),
        )
        self.housekeepers[process] = tasks

    def start_notifier(self) -> None:
        notify = self.notify
        assert notify is not None
        process = self.process("notifier", self.start_notifier)
        engine = self.engine(process)
        self.notifiers[process] = self.world.start(process, "notifier", lambda: notify(process, engine))

    def callbacks_wait(self, seconds: float) -> None:
        """Somebody shall be called back then."""
        for task in self.notifiers.values():
            if task is not self.world.current:
                self.world.wake(task, after=max(0.0, seconds) + self.world.random.random())

    def hints_wait(self) -> None:
        """The outbox is not empty: whoever publishes will look soon."""
        for relay, _ in self.housekeepers.values():
            if relay.wakes_at is None and relay is not self.world.current:
                self.world.wake(relay, after=self.world.random.random() * 0.2)

    def rows_wait(self) -> None:
        """Something changed: the reaper, who really looks every few seconds, must not oversleep what is due then."""
        for _, reaper in self.housekeepers.values():
            if reaper is not self.world.current:
                self.world.wake(reaper, after=30 + self.world.random.random() * 60)

    def _relay(self, relay: Relay) -> None:
        while True:
            if relay.publish_all():
                self.world.sleep(None)
            else:
                self.world.sleep(1 + self.world.random.random())

    def _reap(self, engine: Any, relay: Relay) -> None:
        """The reaper looks every few seconds; only the looks that find something take place here."""
        pause = HOUSEKEEPING
        while True:
            due = self.ledger.seconds_to_due(self.world.clock.isoformat())
            if due is None or due > 0:
                self.world.sleep(None if due is None else due + 0.01 + self.world.random.random() * HOUSEKEEPING)
                continue
            with suppress(LedgerUnavailable):
                reap_once(engine=engine, patience=self.shape.patience, relay=relay)
            due = self.ledger.seconds_to_due(self.world.clock.isoformat())
            # A look that changes nothing is followed by others that change nothing; they are left out.
            pause = HOUSEKEEPING if due is None or due > 0 else min(pause * 2, 3600.0)
            self.world.sleep(pause)

    def _died(self, process: Process, again: Callable[[], None] | None) -> None:
        self.alive.remove(process)
        self.housekeepers.pop(process, None)
        self.notifiers.pop(process, None)
        if again and not self.world.ended:
            self.world.at(self.world.now + 1 + 30 * self.world.random.random(), again)

    def _steps(self, service: str, engine: Any, stores: Any) -> Mapping[Stage, Step]:
        match service:
            case "bag_warmer":
                settings = _warmer(self.shape)
                return bag_warmer.wiring.make_steps(settings=settings, engine=engine, stores=stores, pools=InTurn)
            case "backfill_replicator":
                return backfill_replicator.wiring.make_steps(settings=_COPIER, stores=stores, pools=InTurn)
            case "verifier":
                return verifier.wiring.make_steps(settings=_VERIFIER, engine=engine, stores=stores, pools=InTurn)
            case "replica_aggregator":
                return replica_aggregator.wiring.make_steps(engine=engine, stores=stores)
        return {REGISTERING: register}


_NOWHERE: dict[str, Any] = {"database_url": "postgresql://nowhere"}
_COPIER = backfill_replicator.settings.Settings(**_NOWHERE)
_VERIFIER = verifier.settings.Settings(**_NOWHERE)
_WARMERS: dict[tuple[timedelta, int], bag_warmer.settings.Settings] = {}


def _warmer(shape: Shape) -> bag_warmer.settings.Settings:
    """Made once: validating settings takes longer than a step."""
    wanted = (shape.check_thaw_every, shape.segment_files)
    if wanted not in _WARMERS:
        _WARMERS[wanted] = bag_warmer.settings.Settings(
            **_NOWHERE, check_thaw_every=wanted[0], segment_files=wanted[1], thaw_days=2
        )
    return _WARMERS[wanted]
