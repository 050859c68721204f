"""A broker in memory that loses, repeats, delays and reorders, and whose connections break."""

from __future__ import annotations

from collections.abc import Sequence

from common.adapters.queues.memory import MemoryBroker, MemoryCourier
from common.errors import BrokerUnavailable
from common.ports import Delivery
from simulation.decisions import Decisions
from simulation.world import Process, Task, World

VISIBILITY = 60.0


class DecidedMischief:
    """What `Mischief` is to a MemoryBroker, asking `Decisions`."""

    def __init__(self, decisions: Decisions) -> None:
        self.decisions = decisions

    def copies(self) -> int:
        fault = self.decisions.ask("message", ("message_lost", "message_twice"))
        return 1 if fault is None else {"message_lost": 0, "message_twice": 2}[fault.kind]

    def index(self, visible: int) -> int:
        if visible < 2:
            return 0
        fault = self.decisions.ask("choice of message", ("message_reordered",))
        return int(fault.value * visible) if fault else 0


class SimulatedBroker:
    """The broker, and who waits for its messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inner = MemoryBroker(
            clock=lambda: world.now,
            visibility_timeout=VISIBILITY,
            mischief=DecidedMischief(world.decisions),  # type: ignore[arg-type]
        )
        self.down_until = -1.0
        self._waiting: dict[Task, Sequence[str]] = {}

    @property
    def down(self) -> bool:
        return self.world.now < self.down_until

    def lose_everything(self) -> None:
        self.inner.lose_everything()

    def publish(self, queue: str, body: bytes, message_id: str) -> None:
        before = len(self.inner._queues.get(queue, ()))
        self.inner.publish(queue, body, message_id)
        for held in self.inner._queues[queue][before:]:
            fault = self.world.decisions.ask("delivery", ("message_late",))
            if fault:
                held.visible_at += 3600 * fault.value**4
        for task, queues in list(self._waiting.items()):
            if queue in queues:
                self._wake(task, queues)

    def wait(self, task: Task, queues: Sequence[str]) -> None:
        """Until a message of these queues can be seen, or somebody wakes the task."""
        self._waiting[task] = queues
        self._wake(task, queues)
        try:
            self.world.sleep(None)
        finally:
            self._waiting.pop(task, None)

    def _wake(self, task: Task, queues: Sequence[str]) -> None:
        held = self.inner._queues
        times = [message.visible_at for queue in queues for message in held.get(queue, ())]
        if times:
            self.world.wake(task, after=max(0.0, min(times) - self.world.now) + 0.001)


class SimulatedCourier:
    """Courier of one process."""

    def __init__(self, broker: SimulatedBroker, process: Process) -> None:
        self._broker = broker
        self._process = process
        self._inner = MemoryCourier(broker=broker.inner)
        self._broken = False
        self._check()

    def declare(self, queues: Sequence[str]) -> None:
        self._check()
        self._inner.declare(queues)

    def publish(self, *, queue: str, body: bytes, message_id: str) -> None:
        fault = self._process.point("publish", "broker_refuses", "broker_keeps_silent")
        self._check(broken=fault is not None and fault.kind == "broker_refuses")
        self._broker.publish(queue, body, message_id)
        self._check(broken=fault is not None)

    def receive(self, queues: Sequence[str], *, wait: float) -> Delivery | None:
        self._check()
        if not queues:
            return None
        found = self._inner.receive(queues, wait=0.0)
        if found is None:
            current = self._process.world.current
            assert current is not None
            self._broker.wait(current, queues)
            self._check()
            return None
        fault = self._process.point("receive", "broker_refuses")
        self._check(broken=fault is not None)
        self._process.world.say(f"received {found.queue} {found.body.decode()}")
        return found

    def ack(self, delivery: Delivery) -> None:
        fault = self._process.point("ack", "broker_refuses", "broker_keeps_silent")
        self._check(broken=fault is not None and fault.kind == "broker_refuses")
        self._inner.ack(delivery)
        self._check(broken=fault is not None)

    def give_back(self, delivery: Delivery) -> None:
        self._check()
        self._inner.give_back(delivery)

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        self._check()
        return self._inner.depths(queues)

    def close(self) -> None:
        self._broken = True

    def _check(self, *, broken: bool = False) -> None:
        self._broken = self._broken or broken or self._broker.down
        if self._broken:
            raise BrokerUnavailable("simulated: the connection is gone")
