"""Reading what many ask for at the same time with few statements."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from common.errors import TransientError

Found = TypeVar("Found")


class Gathered(Generic[Found]):
    """Reads at once for all who came while others were read for. Lives in the event loop of the server.

    Whoever is alone is read for at once. Nobody gets what was read before they asked.
    """

    def __init__(
        self, read: Callable[[Sequence[UUID]], Mapping[UUID, Found]], *, readers: int = 2, most: int = 64
    ) -> None:
        """`read` answers for those that there are, in a thread; `readers` of them at a time, on `most` ids each."""
        self._read = read
        self._readers = readers
        self._most = most
        self._asked: deque[tuple[UUID, asyncio.Future[Found | None]]] = deque()
        self._reading: set[asyncio.Task[None]] = set()

    async def find(self, ingest_id: UUID) -> Found | None:
        """What there is of it; None: nothing. Raises what reading it raises."""
        told: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked.append((ingest_id, told))
        if len(self._reading) < self._readers:
            task = asyncio.create_task(self._work())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return await told

    async def _work(self) -> None:
        while self._asked:
            batch = [self._asked.popleft() for _ in range(min(self._most, len(self._asked)))]
            found = await run_in_threadpool(self._each, [ingest_id for ingest_id, _ in batch])
            for ingest_id, told in batch:
                _tell(told, found[ingest_id])

    def _each(self, ingest_ids: Sequence[UUID]) -> dict[UUID, Found | Exception | None]:
        """What there is of each, or why that cannot be told."""
        distinct = list(dict.fromkeys(ingest_ids))
        try:
            found = self._read(distinct)
        except TransientError as error:
            return dict.fromkeys(distinct, error)
        except Exception as error:
            if len(distinct) == 1:
                return {distinct[0]: error}
            # One of them is at fault: the others must not suffer for it.
            return {ingest_id: self._each([ingest_id])[ingest_id] for ingest_id in distinct}
        return {ingest_id: found.get(ingest_id) for ingest_id in distinct}


def _tell(told: asyncio.Future[Found | None], found: Found | Exception | None) -> None:
    if told.done():
        return  # the one who asked is gone
    if isinstance(found, Exception):
        told.set_exception(found)
    else:
        told.set_result(found)
