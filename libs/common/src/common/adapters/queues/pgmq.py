"""PostgreSQL as the broker: pgmq's queues, through kombu, on one database connection per courier.

kombu's transport would hold two or three: a pool of its own and a listener. Here queries and LISTEN share one, which
one thread uses; and the whole DSN counts (kombu and pgmq drop sslmode, options and quoting).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from time import monotonic
from typing import Any

import psycopg
from kombu.transport import pgmq as kombu_pgmq
from pgmq import PGMQueue
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from common.adapters.queues import envelope
from common.adapters.queues.courier import CONTENT_TYPE, Message
from common.adapters.queues.pgmq_schema import LOCK
from common.adapters.queues.transport import open_transport
from common.errors import ConfigurationError

_LOOK_EVERY = 1.0
"""Seconds. Nothing rings when a visibility timeout ends, nor after a crash has emptied pgmq's unlogged table."""

_BACK_AFTER = 1
"""Seconds until a message that was given back is visible: not at once, or its giver would get it in a busy loop."""

_CONNECTION_DEFAULTS = {
    "connect_timeout": "5",
    "application_name": "backfill-courier",
    "tcp_user_timeout": "30000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}


class _Alone:
    """A connection whose statements are transactions of their own, as every call of pgmq's is one statement: a BEGIN
    and a COMMIT around it would make three round trips of one."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _OneConnection:
    """What pgmq asks of a pool, with one connection that the courier's thread owns."""

    def __init__(self, dsn: str) -> None:
        given = conninfo_to_dict(dsn)
        self.only = psycopg.connect(dsn, autocommit=True, **_missing(given))
        self.only.execute("SET statement_timeout = '30s'")

    @contextmanager
    def connection(self) -> Iterator[_Alone]:
        yield _Alone(self.only)

    def close(self) -> None:
        self.only.close()


class _Channel(kombu_pgmq.Channel):
    do_restore = False  # the visibility timeout brings messages back; kombu would publish copies

    def _pgmq_message_to_python(self, pgmq_message: Any, queue: str) -> Any:
        pgmq_message.message = envelope.opened(pgmq_message.message)
        return super()._pgmq_message_to_python(pgmq_message, queue)


class _Transport(kombu_pgmq.Transport):
    Channel = _Channel

    def _create_pgmq_client(self) -> PGMQueue:
        options: Any = self.client.transport_options  # type: ignore[union-attr]
        return PGMQueue(pool=options["pool"], vt=options["visibility_timeout"], init_extension=False)


class PgmqLine:
    """A message lost from sight (its worker died) is visible again after `visibility_timeout` seconds."""

    def __init__(self, *, dsn: str, visibility_timeout: int = 60) -> None:
        self._pool = _OneConnection(dsn)
        self._connection = self._pool.only
        _check_installed(self._connection)
        options = {"pool": self._pool, "visibility_timeout": visibility_timeout}
        self._transport = open_transport(transport=_Transport, transport_options=options)
        self._channel = self._transport.create_channel(self._transport)
        self._listening: set[str] = set()

    def declare(self, names: Sequence[str]) -> None:
        """Also sets the notification going again, which pgmq forgets when PostgreSQL crashes."""
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            rows = self._connection.execute(
                "SELECT queue_name FROM pgmq.meta JOIN pgmq.notify_insert_throttle USING (queue_name)"
            )
            ready = {row[0] for row in rows}
            for name in names:
                if name not in ready:
                    self._channel.pgmq.create_queue(name)
                    self._channel.pgmq.enable_notify(name, throttle_interval_ms=0)

    def publish(self, *, name: str, body: bytes, message_id: str) -> None:
        message = self._channel.prepare_message(
            body, content_type=CONTENT_TYPE, content_encoding="utf-8", properties={"message_id": message_id}
        )
        self._channel.basic_publish(message, exchange="", routing_key=name)

    def take(self, names: Sequence[str], *, wait: float) -> tuple[str, Message] | None:
        deadline = monotonic() + wait
        self._listen(names)
        while (found := self._read(names)) is None:
            left = deadline - monotonic()
            if left <= 0:
                return None
            self._wait_for_bell(min(left, _LOOK_EVERY))
        return found

    def _wait_for_bell(self, seconds: float) -> None:
        """Also notices that the server is gone."""
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def _read(self, names: Sequence[str]) -> tuple[str, Message] | None:
        """One look at all of them: most are empty, and pgmq's own reading costs five times as much."""
        for name, visible in zip(names, self._visible(names), strict=True):
            # Another courier may have been quicker.
            if visible and (message := self._channel.basic_get(name)) is not None:
                return name, message
        return None

    def _visible(self, names: Sequence[str]) -> Sequence[bool]:
        if not names:
            return ()
        row: tuple[bool, ...] | None = self._connection.execute(_looking_at(*names)).fetchone()
        assert row is not None
        return row

    def _listen(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._listening:
                self._connection.execute(SQL("LISTEN {}").format(Identifier(f"pgmq.q_{name}.INSERT")))
                self._listening.add(name)

    def give_back(self, *, name: str, message: Any) -> None:
        self._channel.pgmq.set_vt(name, message.delivery_info["pgmq_msg_id"], _BACK_AFTER)
        self._channel.qos.ack(message.delivery_tag)

    def ready(self, name: str) -> int:
        """kombu's own count includes what is being worked on."""
        return int(self._channel.pgmq.metrics(name).queue_visible_length)

    def close(self, *, broken: bool) -> None:  # noqa: ARG002
        self._pool.close()


@cache
def _looking_at(*names: str) -> bytes:
    """Whether each queue has a message that may be read now."""
    visible = SQL("EXISTS (SELECT FROM pgmq.{} WHERE vt <= statement_timestamp())")
    looks = SQL(", ").join(visible.format(Identifier(f"q_{name}")) for name in names)
    return SQL("SELECT {}").format(looks).as_bytes(None)


def _missing(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _CONNECTION_DEFAULTS.items() if key not in given}


def _check_installed(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("SELECT to_regnamespace('pgmq') IS NOT NULL").fetchone()
    if not row or not row[0]:
        connection.close()
        raise ConfigurationError(
            "the database of the pgmq broker has no schema 'pgmq': run the migrations "
            "(common.adapters.queues.pgmq_schema.install), which put it there"
        )
