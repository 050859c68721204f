"""Reads the ledger once for all who listen to this process, and only while somebody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from common.errors import TransientError
from common.ledger.engine import reading
from common.ledger.feed import News, Position, Reader, Topic, placed
from ingests_api.streaming.ears import Ear, Heard, concerns, finishes
from ingests_api.streaming.wire import news_event

log = structlog.get_logger()

BATCH = 200
"""News of each history that are read at once."""
_GULP = 64 * 1024
"""Bytes that are told at once: a quarter of what may wait for one listener."""
_SOON, _PATIENCE = 0.02, 1.0
"""Seconds."""


class Feed:
    """Lives in the event loop of the server: one task, one connection while it looks, none between."""

    def __init__(self, engine: Engine, *, every: float = 0.5) -> None:
        self._engine = engine
        self._every = every
        self._ears: set[Ear] = set()
        self._present = 0
        self._running: asyncio.Task[None] | None = None
        self.at: Position | None = None
        """All news up to here have been told; None: it is not known yet, or nobody listens."""
        self.known = asyncio.Event()
        """Set once `at` is known."""

    @contextmanager
    def attended(self) -> Generator[None]:
        """The feed reads while anybody is inside."""
        self._present += 1
        if self._running is None or self._running.done():
            self.at = None
            self.known.clear()
            self._running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._present -= 1
            if not self._present:
                self._running.cancel()
                self._running = None

    @contextmanager
    def heard(self, topic: Topic) -> Generator[Ear]:
        """An ear for all news beyond `at`."""
        ear = Ear(topic)
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)

    async def _run(self) -> None:
        reader: Reader | None = None
        while True:
            doubted, told = reader is not None and reader.doubtful, list[News]()
            try:
                if reader is None:
                    reader = await run_in_threadpool(self._begin)
                told = await run_in_threadpool(self._look, reader)
                await self._tell(told, reader.at)
            except TransientError as error:
                log.warning("ledger unavailable", task="feed", error=str(error))
            except Exception:
                log.exception("task failed", task="feed")
                self.at, reader = None, None
                self.known.clear()
                for ear in self._ears:
                    ear.end("unexpected")
            # What was being written when a gap was seen has mostly been written a moment later.
            again = reader is not None and reader.doubtful and not doubted
            await asyncio.sleep(0 if len(told) >= BATCH else _SOON if again else self._every)

    async def _tell(self, told: list[News], upto: Position | None) -> None:
        since = 0
        if self.at is not None:
            for news, at in placed(told, self.at):
                since += self._pass_on(news, at)
                self.at = at
                if since > _GULP:
                    since = 0
                    await self._taken()
        self.at = upto
        if upto is not None:
            self.known.set()

    def _pass_on(self, news: News, at: Position) -> int:
        """How many bytes whoever listens was told."""
        listening = [ear for ear in self._ears if concerns(ear.topic, news)]
        if not listening:
            return 0
        heard = Heard(news_event(news, at=at), at, finishes(news))
        for ear in listening:
            ear.tell(heard)
        return len(heard.chunk)

    async def _taken(self) -> None:
        """Where much comes at once: who takes what they are told gets the time to."""
        until = time.monotonic() + _PATIENCE
        await asyncio.sleep(0)
        while any(ear.full for ear in self._ears) and time.monotonic() < until:
            await asyncio.sleep(_SOON / 4)

    def end(self, code: str) -> None:
        """Whoever listens is told why there is no more, and whoever waits to listen waits no longer."""
        for ear in self._ears:
            ear.end(code)
        self.known.set()

    def _begin(self) -> Reader:
        with reading(self._engine) as connection:
            return Reader(connection)

    def _look(self, reader: Reader) -> list[News]:
        with reading(self._engine) as connection:
            return reader.look(connection, limit=BATCH)
