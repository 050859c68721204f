"""Waiting for ingests to change: however many wait, one query at a time looks for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from common.errors import TransientError

Marks = Callable[[Iterable[UUID]], Mapping[UUID, int]]
"""For each ingest a number that grows when it changes."""


class Changes:
    """Wakes those who wait. Lives in the event loop of the server; a waiter costs no thread and no connection."""

    def __init__(self, marks: Marks, *, every: float = 0.5, most: int = 1000) -> None:
        self._marks = marks
        self._every = every
        self._most = most
        self._waiting: dict[asyncio.Future[None], tuple[UUID, int]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, ingest_id: UUID, *, seen: int, seconds: float) -> None:
        """Return when the ingest's mark is not `seen` any more, or after so many seconds.

        At once where too many wait already: the caller answers with what there is, and the client asks again.
        """
        if len(self._waiting) >= self._most:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[woken] = (ingest_id, seen)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(woken, seconds)
        except TimeoutError:
            return
        finally:
            del self._waiting[woken]

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._every)
            try:
                marks = await run_in_threadpool(self._marks, {ingest_id for ingest_id, _ in self._waiting.values()})
            except TransientError:
                continue  # whoever waits long enough is told by the answer's own look at the ledger
            for woken, (ingest_id, seen) in self._waiting.items():
                if marks.get(ingest_id, seen) != seen and not woken.done():
                    woken.set_result(None)
