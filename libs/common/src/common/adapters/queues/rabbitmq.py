"""RabbitMQ 3.10 to 4: durable quorum queues, confirms and mandatory, dead letters kept.

One connection, one channel. Heartbeats live from `take`: a connection nobody drains is closed by the broker.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from common.adapters.queues.courier import CONTENT_TYPE, Message
from common.adapters.queues.names import DEAD_SUFFIX, MAX_DELIVERIES
from common.adapters.queues.transport import open_transport
from common.errors import ConfigurationError

DEAD_LETTERS = "backfill_dead_letters"
"""The direct exchange that puts a message aside into the dead-letter queue of the queue it came from."""

_SETTLE = 0.05
"""Seconds of silence after subscribing; before, the preferred queue's first message may not have arrived."""


class Unroutable(Exception):
    """No queue took the message."""


class RabbitLine:
    """At most `prefetch` messages per queue are held here; the broker takes them back at close."""

    def __init__(self, *, url: str, prefetch: int = 1, heartbeat: int = 30, confirm_within: float = 15.0) -> None:
        """`confirm_within` and `heartbeat` are seconds."""
        self._confirm_within = confirm_within
        self._transport = _transport(url, heartbeat=heartbeat, confirm_within=confirm_within)
        self._connection = self._transport.establish_connection()
        self._channel = self._transport.create_channel(self._connection)
        self._channel.auto_decode = False
        self._channel.basic_qos(0, prefetch, False)
        self._returned: list[str] = []
        self._channel.events["basic_return"].add(self._on_return)
        self._consumers: dict[str, str] = {}
        self._held: dict[str, deque[Message]] = {}

    def declare(self, names: Sequence[str]) -> None:
        self._channel.exchange_declare(DEAD_LETTERS, "direct", durable=True, auto_delete=False)
        for name in names:
            self._declare_queue(name + DEAD_SUFFIX, {"x-queue-type": "quorum"})
            self._channel.queue_bind(name + DEAD_SUFFIX, DEAD_LETTERS, routing_key=name)
            self._declare_queue(name, _arguments(name))

    def _declare_queue(self, name: str, arguments: dict[str, Any]) -> None:
        try:
            self._channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        except self._transport.channel_errors as error:
            if getattr(error, "reply_code", None) != 406:
                raise
            raise ConfigurationError(
                f"RabbitMQ has a queue {name!r} of other properties; stop the workers and delete it "
                f"(hints are created anew), or choose another prefix. It says: {error}"
            ) from error

    def publish(self, *, name: str, body: bytes, message_id: str) -> None:
        self._pump_all(0)  # a connection that died while idle is found before anything is sent
        self._returned.clear()
        message = self._channel.prepare_message(
            body,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            properties={"delivery_mode": 2, "message_id": message_id},
        )
        self._channel.basic_publish(
            message, exchange="", routing_key=name, mandatory=True, confirm_timeout=self._confirm_within
        )
        if self._returned:
            raise Unroutable(f"no queue took it ({self._returned[0]}); has {name} been declared?")

    def _on_return(self, error: Exception, _exchange: str, _key: str, _message: object) -> None:
        # Sent by the broker before the confirm, so it is known by the time basic_publish returns.
        self._returned.append(str(error))

    def take(self, names: Sequence[str], *, wait: float) -> tuple[str, Message] | None:
        deadline = monotonic() + wait
        if names:
            self._follow(names)
        self._pump_all(0)
        while (found := self._preferred(names)) is None and (left := deadline - monotonic()) > 0:
            self._pump(min(left, 1.0))
        return found

    def _preferred(self, names: Sequence[str]) -> tuple[str, Message] | None:
        return next(((name, self._held[name].popleft()) for name in names if self._held.get(name)), None)

    def _follow(self, names: Sequence[str]) -> None:
        """Consume from exactly these queues."""
        for name in self._consumers.keys() - set(names):
            self._unfollow(name)
        new = [name for name in names if name not in self._consumers]
        for name in new:
            self._held[name] = deque()
            self._consumers[name] = self._channel.basic_consume(name, callback=partial(self._hold, name))
        if new:
            self._pump_all(_SETTLE)

    def _unfollow(self, name: str) -> None:
        self._channel.basic_cancel(self._consumers.pop(name))
        for message in self._held.pop(name):
            self._requeue(message)

    def _hold(self, name: str, raw: Any) -> None:
        # kombu unpacks a body that says it is compressed before anybody can look at its size. No hint of ours is.
        (raw.properties.get("application_headers") or {}).pop("compression", None)
        message = self._channel.message_to_python(raw)
        if name in self._held:
            self._held[name].append(message)
        else:
            self._requeue(message)

    def _pump_all(self, quiet: float) -> None:
        while self._pump(quiet):
            pass

    def _pump(self, timeout: float) -> bool:
        """Read what the broker sends, for at most `timeout` seconds; False where it sent nothing."""
        try:
            self._connection.drain_events(timeout=timeout)
            return True
        except TimeoutError:
            return False
        finally:
            self._connection.heartbeat_tick()  # after reading: what came in counts as a sign of life

    def give_back(self, *, name: str, message: Message) -> None:  # noqa: ARG002
        self._requeue(message)

    def _requeue(self, message: Any) -> None:
        message.requeue()

    def ready(self, name: str) -> int:
        return int(self._channel.queue_declare(name, passive=True).message_count)

    def close(self, *, broken: bool) -> None:
        if broken:
            self._connection.collect()
        else:
            self._transport.close_connection(self._connection)


def _arguments(name: str) -> dict[str, Any]:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": DEAD_LETTERS,
        "x-dead-letter-routing-key": name,
        "x-delivery-limit": MAX_DELIVERIES,
    }


def _transport(url: str, *, heartbeat: int, confirm_within: float) -> Any:
    parts = urlsplit(url)
    # kombu's amqps verifies no certificate unless it is told to.
    tls = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname} if parts.scheme == "amqps" else False
    return open_transport(
        url,
        ssl=tls,
        heartbeat=heartbeat,
        connect_timeout=5,
        transport_options={"confirm_publish": True, "read_timeout": confirm_within, "write_timeout": confirm_within},
    )
