"""The broker, a courier of hints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from common.records import record


@record
class Delivery:
    """One message as a worker sees it."""

    queue: str
    body: bytes
    message_id: str
    tag: object
    """The adapter's own handle, for ack."""


class Courier(Protocol):
    """Takes hints from the outbox to the workers. May lose, repeat, delay and reorder them.

    One object belongs to one thread. All raise BrokerUnavailable, after which the caller makes a new one.
    """

    def declare(self, queues: Sequence[str]) -> None:
        """Make sure the queues exist, durable. Twice: nothing happens."""
        ...

    def publish(self, *, queue: str, body: bytes, message_id: str) -> None:
        """Returns only when the broker has confirmed that a queue holds the message.

        Raises BrokerUnavailable also where no queue took it.
        """
        ...

    def receive(self, queues: Sequence[str], *, wait: float) -> Delivery | None:
        """The next message of any of the queues, the first named preferred; None after `wait` seconds without one.

        Calling it is what keeps the connection alive: call it at least every few seconds.
        """
        ...

    def ack(self, delivery: Delivery) -> None:
        """The message is dealt with; it does not come back."""
        ...

    def give_back(self, delivery: Delivery) -> None:
        """The message could not be dealt with; it comes again, at once or later."""
        ...

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        """About how many messages of each queue wait to be delivered; those being worked on are left out."""
        ...

    def close(self) -> None: ...
