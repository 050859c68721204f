"""A broker inside the process: for unit tests and simulation. Keeps nothing when the process ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from common.adapters.queues.names import check_body, queue_name
from common.errors import BrokerUnavailable
from common.ports import Delivery


@dataclass(frozen=True, slots=True)
class Mischief:
    """What a bad day does to messages; each is a probability from 0 to 1, drawn from `random`."""

    random: Random
    lose: float = 0.0
    """A confirmed message vanishes."""
    duplicate: float = 0.0
    """A message is there twice."""
    reorder: float = 0.0
    """Any visible message is delivered instead of the oldest."""

    def copies(self) -> int:
        """How many of a published message arrive."""
        if self.random.random() < self.lose:
            return 0
        return 2 if self.random.random() < self.duplicate else 1

    def index(self, visible: int) -> int:
        """Which of the visible messages, oldest first, is delivered."""
        return self.random.randrange(visible) if self.random.random() < self.reorder else 0


@dataclass(slots=True, eq=False)
class _Held:
    body: bytes
    message_id: str
    visible_at: float


@dataclass
class MemoryBroker:
    """Queues shared by any number of MemoryCourier objects and threads."""

    clock: Callable[[], float] = time.monotonic
    """Seconds; decides when a message that was not acked is visible again."""
    visibility_timeout: float = 60.0
    mischief: Mischief | None = None
    _queues: dict[str, list[_Held]] = field(default_factory=dict, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def declare(self, queue: str) -> None:
        with self._changed:
            self._queues.setdefault(queue, [])

    def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Raises BrokerUnavailable for a queue nobody declared."""
        with self._changed:
            held = self._messages(queue)
            for _ in range(self.mischief.copies() if self.mischief else 1):
                held.append(_Held(body, message_id, visible_at=self.clock()))
            self._changed.notify_all()

    def receive(self, queues: Sequence[str], wait: float) -> tuple[str, _Held] | None:
        """Waits in real time, at most `wait` seconds; a message whose time has come ends the wait."""
        deadline = time.monotonic() + wait
        with self._changed:
            while (found := self._take(queues)) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, self._next_visible_in(queues)))
            return found

    def remove(self, queue: str, held: _Held) -> None:
        with self._changed:
            messages = self._messages(queue)
            if held in messages:
                messages.remove(held)

    def show(self, queue: str, held: _Held) -> None:
        """Visible again now."""
        with self._changed:
            if held in self._messages(queue):
                held.visible_at = self.clock()
            self._changed.notify_all()

    def ready(self, queue: str) -> int:
        with self._changed:
            return len(self._visible(queue))

    def lose_everything(self) -> None:
        """The broker's disk is gone: every queue is empty, and nobody was told."""
        with self._changed:
            for messages in self._queues.values():
                messages.clear()

    def _take(self, queues: Sequence[str]) -> tuple[str, _Held] | None:
        for queue in queues:
            if visible := self._visible(queue):
                held = visible[self.mischief.index(len(visible)) if self.mischief else 0]
                held.visible_at = self.clock() + self.visibility_timeout
                return queue, held
        return None

    def _visible(self, queue: str) -> list[_Held]:
        now = self.clock()
        return [held for held in self._messages(queue) if held.visible_at <= now]

    def _next_visible_in(self, queues: Sequence[str]) -> float:
        """Never longer than 50 ms: an injected clock may leap, and tells nobody."""
        times = [held.visible_at for queue in queues for held in self._messages(queue)]
        return min(max(min(times, default=float("inf")) - self.clock(), 0.001), 0.05)

    def _messages(self, queue: str) -> list[_Held]:
        if queue not in self._queues:
            raise BrokerUnavailable(f"queue {queue!r} has not been declared: call declare() first")
        return self._queues[queue]


class MemoryCourier:
    """See :class:`common.ports.Courier`. What was received and not acked comes back after the visibility timeout."""

    def __init__(self, *, broker: MemoryBroker, prefix: str = "") -> None:
        self._broker = broker
        self._prefix = prefix
        self._closed = False

    def declare(self, queues: Sequence[str]) -> None:
        for queue in queues:
            self._open_broker().declare(self._name(queue))

    def publish(self, *, queue: str, body: bytes, message_id: str) -> None:
        check_body(body)
        self._open_broker().publish(self._name(queue), body, message_id)

    def receive(self, queues: Sequence[str], *, wait: float) -> Delivery | None:
        names = {self._name(queue): queue for queue in queues}
        found = self._open_broker().receive(list(names), wait)
        if found is None:
            return None
        name, held = found
        return Delivery(queue=names[name], body=held.body, message_id=held.message_id, tag=held)

    def ack(self, delivery: Delivery) -> None:
        self._open_broker().remove(self._name(delivery.queue), _held(delivery))

    def give_back(self, delivery: Delivery) -> None:
        self._open_broker().show(self._name(delivery.queue), _held(delivery))

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        return {queue: self._open_broker().ready(self._name(queue)) for queue in queues}

    def close(self) -> None:
        self._closed = True

    def _name(self, queue: str) -> str:
        return queue_name(prefix=self._prefix, queue=queue)

    def _open_broker(self) -> MemoryBroker:
        if self._closed:
            raise BrokerUnavailable("this courier was closed: open a new one")
        return self._broker


def _held(delivery: Delivery) -> _Held:
    if not isinstance(delivery.tag, _Held):
        raise TypeError(f"delivery {delivery.message_id!r} came from another kind of courier")
    return delivery.tag


_named: dict[str, MemoryBroker] = {}
_naming = threading.Lock()


def broker_named(name: str, *, visibility_timeout: float = 60.0) -> MemoryBroker:
    """The process's broker of that name: what `memory://name` means. Made at the first call, with that timeout."""
    with _naming:
        return _named.setdefault(name, MemoryBroker(visibility_timeout=visibility_timeout))
