"""A stream for each listener: what there was since they last heard, then what comes, then why it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool

from common.ledger import feed as ledger
from common.ledger.engine import reading
from common.ledger.feed import Position, Topic, placed
from common.web.answers import Refused
from common.web.event_streams import HEARTBEAT
from ingests_api.streaming.ears import finishes
from ingests_api.streaming.feed import Feed
from ingests_api.streaming.wire import goodbye, hello, news_event, opened

_Found = TypeVar("_Found")
_START = Position(0, 0)
_LOOK_BACK = 4
"""How many look back at the same time: others need the ledger as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How streams behave, in seconds."""

    look_every: float = 0.5
    heartbeat: float = 15.0
    life: float = 3600.0


class _Listener:
    """Somebody who listens to a topic, and where they are."""

    def __init__(self, topic: Topic, after: Position | None, now: Position | None) -> None:
        """An ingest's history is told from its beginning; all else from now on, unless they listened before."""
        now = now or _START
        after = after or (_START if topic.ingest else now)
        campaigns = now.campaigns if topic.ingest else min(after.campaigns, now.campaigns)
        self.topic = topic
        self.at = Position(min(after.ingests, now.ingests), campaigns)
        self.done = False
        """Whether the topic is an ingest, and has finished."""

    def hears(self, at: Position, *, finished: bool) -> None:
        self.at = at
        self.done = self.done or (finished and self.topic.ingest is not None)


class Stream:
    """The bytes for one listener; to be closed, as its place is taken until then."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], *, closed: Callable[[], None]) -> None:
        self._chunks = chunks
        self._closed = closed

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def aclose(self) -> None:
        try:
            await self._chunks.aclose()
        finally:
            self._closed()


class Streams:
    """All streams of this process, at most `most` at the same time."""

    def __init__(self, engine: Engine, *, most: int, rhythm: Rhythm | None = None) -> None:
        self._engine = engine
        self._most = most
        self._rhythm = rhythm or Rhythm()
        self._feed = Feed(engine, every=self._rhythm.look_every)
        self._looking_back = asyncio.Semaphore(_LOOK_BACK)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self.number = 0
        """Of streams that are open."""

    def open(self, topic: Topic, *, after: Position | None, finished: bool = False) -> Stream:
        """`after`: where the listener was; `finished`: the topic is an ingest that has nothing more to say.

        Raises Refused where too many listen already.
        """
        if self._stopping or self.number >= self._most:
            told = f"{self.number} listen to this process already: wait 10 s and ask again, or use ?wait=30."
            raise Refused(503, told, headers={"Retry-After": "10"}, code="too_many_listeners")
        self._loop = asyncio.get_running_loop()
        self.number += 1
        return Stream(self._recorded(topic, after) if finished else self._live(topic, after), closed=self._left)

    def stop(self) -> None:
        """End all streams, with a word, and refuse new ones. From any thread."""
        self._stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._feed.end, "stopping")

    def _left(self) -> None:
        self.number -= 1

    async def _recorded(self, topic: Topic, after: Position | None) -> AsyncGenerator[bytes, None]:
        yield hello()
        async for chunk in self._last_words(topic, after or _START):
            yield chunk

    async def _live(self, topic: Topic, after: Position | None) -> AsyncGenerator[bytes, None]:
        with self._feed.attended():
            yield hello()
            while not self._stopping and not await self._known():
                yield HEARTBEAT
            listener = _Listener(topic, after, self._feed.at)
            if self._broken is None:
                yield opened(listener.at)
            async for chunk in self._missed(listener):
                yield chunk
            if code := self._broken:
                yield goodbye(code)
                return
            # Nothing was awaited since it was seen that nothing is missing.
            async with aclosing(self._heard(listener)) as chunks:
                async for chunk in chunks:
                    yield chunk
        if listener.done:
            async for chunk in self._last_words(topic, listener.at):
                yield chunk

    @property
    def _broken(self) -> str | None:
        """Why no stream can go on, if none can."""
        return "stopping" if self._stopping else "unexpected" if self._feed.at is None else None

    async def _missed(self, listener: _Listener) -> AsyncGenerator[bytes, None]:
        """Until there is nothing between the listener and the feed."""
        while (upto := self._feed.at) != listener.at and upto is not None and not self._stopping:
            told, reached = await self._ask(partial(ledger.past, topic=listener.topic, after=listener.at, upto=upto))
            for news, at in placed(told, listener.at):
                yield news_event(news, at=at)
                listener.hears(at, finished=finishes(news))
            listener.at = reached

    async def _heard(self, listener: _Listener) -> AsyncGenerator[bytes, None]:
        ends = time.monotonic() + self._rhythm.life
        with self._feed.heard(listener.topic) as ear:
            while not listener.done:
                heard = await ear.listen(self._rhythm.heartbeat)
                for one in heard:
                    yield one.chunk
                    listener.hears(one.at, finished=one.finished)
                if code := ear.goodbye or ("stream_renewal" if time.monotonic() > ends else None):
                    yield goodbye(code)
                    return
                if not heard:
                    yield HEARTBEAT

    async def _known(self) -> bool:
        """Whether the feed knows where it is, after waiting for it a while."""
        try:
            await asyncio.wait_for(self._feed.known.wait(), self._rhythm.heartbeat)
        except TimeoutError:
            return False
        return self._feed.at is not None

    async def _last_words(self, topic: Topic, after: Position) -> AsyncGenerator[bytes, None]:
        """Of an ingest that has finished. What it says is certain: who finished it had it to themselves."""
        assert topic.ingest is not None
        told = await self._ask(partial(ledger.last_words, ingest_id=topic.ingest, after=after))
        for news, at in placed(told, after):
            yield news_event(news, at=at)
        yield goodbye("finished")

    async def _ask(self, question: Callable[[Connection], _Found]) -> _Found:
        def asked() -> _Found:
            with reading(self._engine) as connection:
                return question(connection)

        async with self._looking_back:
            return await run_in_threadpool(asked)
