"""Listeners to everything that happens, while it happens: who hears what, and how late."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import quantiles
from typing import cast

import uvloop
from sqlalchemy import Engine, text

from common.ledger.engine import open_engine, transaction

_PATIENCE = 60.0
"""Seconds that a listener may take to hear everything."""
_EVENT = b"event: ingest\n"
_TELL = text("""
INSERT INTO ingest_events (ingest_id, description)
SELECT id, 'Replicating to Azure started' FROM ingests ORDER BY created_at DESC LIMIT :count
""")


@dataclass(frozen=True)
class Heard:
    """What listeners measured."""

    events: int
    """That each of them was told."""
    seconds: float
    p95: float
    """Seconds from the commit of some events until a listener had heard all of them."""


@dataclass
class _Listener(asyncio.Protocol):
    """Counts the events of a stream; `ready` is set when it is open."""

    request: bytes
    heard: int = 0
    seen: bytes = b""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.ready.set()
        self.seen += data
        self.heard += self.seen.count(_EVENT)
        # Half of the words that are counted may still be on its way.
        cut = self.seen.rfind(_EVENT)
        self.seen = self.seen[cut + len(_EVENT) :] if cut >= 0 else self.seen[-len(_EVENT) :]
        self.more.set()

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        self.ready.set()
        self.more.set()

    async def until(self, count: int) -> None:
        """Raises RuntimeError where the stream ends."""
        while self.heard < count and not self.lost:
            self.more.clear()
            await self.more.wait()
        if self.lost:
            raise RuntimeError(f"a stream ended after {self.heard} events of {count}")


def listen(port: int, dsn: str, *, tokens: list[str], listeners: int, rounds: int, each: int) -> Heard:
    """Have `each` events written `rounds` times, a fifth of a second apart, and told to `listeners` streams.

    Raises RuntimeError and TimeoutError where one of them does not hear all.
    """
    engine = open_engine(dsn, name="benchmark", pool_size=1)
    try:
        return uvloop.run(_listen(port, engine, tokens=tokens, listeners=listeners, rounds=rounds, each=each))
    finally:
        engine.dispose()


async def _listen(port: int, engine: Engine, *, tokens: list[str], listeners: int, rounds: int, each: int) -> Heard:
    loop, all_of_them = asyncio.get_running_loop(), []
    for number in range(listeners):
        one = _Listener(_request(tokens[number % len(tokens)]))
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
        await one.ready.wait()
        all_of_them.append(one)
    started, late = time.perf_counter(), []
    for round_ in range(1, rounds + 1):
        await asyncio.to_thread(_tell, engine, each)
        told = time.perf_counter()

        async def hear(one: _Listener, told: float = told, count: int = round_ * each) -> float:
            await one.until(count)
            return time.perf_counter() - told

        async with asyncio.timeout(_PATIENCE):
            late += await asyncio.gather(*(hear(one) for one in all_of_them))
        await asyncio.sleep(max(0.0, 0.2 - (time.perf_counter() - told)))
    took = time.perf_counter() - started
    for one in all_of_them:
        one.transport.close()
    return Heard(rounds * each, took, quantiles(late, n=100)[94])


def _tell(engine: Engine, count: int) -> None:
    with transaction(engine) as connection:
        connection.execute(_TELL, {"count": count})


def _request(token: str) -> bytes:
    head = "GET /ingests/events HTTP/1.1\r\nHost: benchmark\r\nAccept: text/event-stream\r\n"
    return f"{head}Authorization: Bearer {token}\r\n\r\n".encode()
