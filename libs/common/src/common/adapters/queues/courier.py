"""One courier over kombu. What differs between brokers is a Line: rabbitmq, pgmq and sqs have one each.

kombu's own conveniences stay unused where they would hide a loss: no auto-reconnect (the caller opens a new
courier), no deserialisation (a body is bytes, so a pickle is never run), no reject (pgmq and SQS delete).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from common.adapters.queues.names import check_body, queue_name
from common.errors import BrokerUnavailable, ConfigurationError
from common.ports import Delivery

CONTENT_TYPE = "application/json"


class Message(Protocol):
    """The part of kombu's Message that we use."""

    body: bytes | str | memoryview | None
    properties: dict[str, Any]
    acknowledged: bool

    def ack(self) -> None: ...


class Line(Protocol):
    """An open connection to one kind of broker. Raises whatever its client raises; the courier translates.

    After any exception the line is only ever closed.
    """

    def declare(self, names: Sequence[str]) -> None: ...

    def publish(self, *, name: str, body: bytes, message_id: str) -> None:
        """Returns when the broker has the message on disk, or would not lose it with one node."""
        ...

    def take(self, names: Sequence[str], *, wait: float) -> tuple[str, Message] | None:
        """The next message and the queue it came from. With no names: only keeps the connection alive."""
        ...

    def give_back(self, *, name: str, message: Message) -> None: ...

    def ready(self, name: str) -> int:
        """Messages that wait to be delivered, about."""
        ...

    def close(self, *, broken: bool) -> None:
        """Where broken, without a farewell that the broker would have to answer."""
        ...


class KombuCourier:
    """See :class:`common.ports.Courier`. Made by :func:`common.adapters.queues.registry.open_courier`."""

    def __init__(self, *, broker: str, connect: Callable[[], Line], prefix: str = "") -> None:
        """`broker` is the address as errors may show it. Connects at once; raises BrokerUnavailable."""
        self._broker = broker
        self._prefix = prefix
        self._spoiled = False
        self._owner: tuple[int, int] | None = None
        with self._asking("connect"):
            self._line = connect()
        self._owner = None  # whoever uses it first owns it; it may have been opened for another thread

    def declare(self, queues: Sequence[str]) -> None:
        names = [self._name(queue) for queue in queues]
        with self._asking(f"declare {', '.join(names)}"):
            self._line.declare(names)

    def publish(self, *, queue: str, body: bytes, message_id: str) -> None:
        check_body(body)
        name = self._name(queue)
        with self._asking(f"publish to {name}"):
            self._line.publish(name=name, body=body, message_id=message_id)

    def receive(self, queues: Sequence[str], *, wait: float) -> Delivery | None:
        """With no queues: only keeps the connection alive, for `wait` seconds. A publisher calls it so."""
        names = {self._name(queue): queue for queue in queues}
        with self._asking("receive"):
            found = self._line.take(list(names), wait=wait)
        if found is None:
            return None
        name, message = found
        return Delivery(
            queue=names[name],
            body=_as_bytes(message.body),
            message_id=str(message.properties.get("message_id") or ""),
            tag=message,
        )

    def ack(self, delivery: Delivery) -> None:
        message = self._message(delivery)
        with self._asking(f"ack {delivery.message_id}"):
            if not message.acknowledged:
                message.ack()

    def give_back(self, delivery: Delivery) -> None:
        message = self._message(delivery)
        with self._asking(f"give back {delivery.message_id}"):
            if not message.acknowledged:
                self._line.give_back(name=self._name(delivery.queue), message=message)

    def depths(self, queues: Sequence[str]) -> dict[str, int]:
        with self._asking("count messages"):
            return {queue: self._line.ready(self._name(queue)) for queue in queues}

    def close(self) -> None:
        """What was received and not acked comes back: at once (RabbitMQ) or after the visibility timeout."""
        with suppress(Exception):  # a connection that is gone cannot be closed any better
            self._line.close(broken=self._spoiled)
        self._spoiled = True

    def _name(self, queue: str) -> str:
        return queue_name(prefix=self._prefix, queue=queue)

    @staticmethod
    def _message(delivery: Delivery) -> Message:
        return delivery.tag  # type: ignore[return-value]

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turns every failure into BrokerUnavailable, whatever its class: py-amqp raises even AttributeError for
        a lost connection. After one the line is spoiled: a late confirm must not pass for the next message's.
        """
        self._check_use(what)
        try:
            yield
        except ConfigurationError:
            self._spoiled = True
            raise
        except Exception as error:
            self._spoiled = True
            raise BrokerUnavailable(f"{self._broker}: cannot {what}: {_told(error)}") from error
        except BaseException:
            self._spoiled = True
            raise

    def _check_use(self, what: str) -> None:
        here = (os.getpid(), threading.get_ident())
        if self._owner is None:
            self._owner = here
        if self._owner != here:
            raise RuntimeError(f"cannot {what}: this courier belongs to another thread or process; open one here")
        if self._spoiled:
            raise BrokerUnavailable(f"{self._broker}: cannot {what}: this courier failed or was closed; open a new one")


def _as_bytes(body: bytes | str | memoryview | None) -> bytes:
    return body.encode(errors="surrogatepass") if isinstance(body, str) else bytes(body or b"")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0] if str(error) else type(error).__name__
