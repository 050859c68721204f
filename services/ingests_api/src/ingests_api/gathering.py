"""Doing what many ask for at the same time with few statements."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from common.errors import TransientError

Asked = TypeVar("Asked", bound=Hashable)
Found = TypeVar("Found")


class Gathered(Generic[Asked, Found]):
    """Reads, or does, at once for all who came while others were read for. Lives in the event loop of the server.

    Whoever is alone is read for at once. Nobody gets what was read before they asked.
    """

    def __init__(
        self, read: Callable[[Sequence[Asked]], Mapping[Asked, Found | Exception]], *, readers: int = 2, most: int = 64
    ) -> None:
        """`read` answers for those that there are, in a thread; `readers` of them at a time, on `most` each.

        Where it raises, nothing was done for any: they are read for one by one, unless the ledger is to blame.
        """
        self._read = read
        self._readers = readers
        self._most = most
        self._asked: deque[tuple[Asked, asyncio.Future[Found | None]]] = deque()
        self._reading: set[asyncio.Task[None]] = set()

    async def find(self, asked: Asked) -> Found | None:
        """What there is of it; None: nothing. Raises what reading it raises."""
        told: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked.append((asked, told))
        if len(self._reading) < self._readers:
            task = asyncio.create_task(self._work())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return await told

    async def _work(self) -> None:
        while self._asked:
            batch = [self._asked.popleft() for _ in range(min(self._most, len(self._asked)))]
            found = await run_in_threadpool(self._each, [asked for asked, _ in batch])
            for asked, told in batch:
                _tell(told, found[asked])

    def _each(self, asked: Sequence[Asked]) -> dict[Asked, Found | Exception | None]:
        """What there is of each, or why that cannot be told."""
        distinct = list(dict.fromkeys(asked))
        try:
            found = self._read(distinct)
        except TransientError as error:
            return dict.fromkeys(distinct, error)
        except Exception as error:
            if len(distinct) == 1:
                return {distinct[0]: error}
            # One of them is at fault: the others must not suffer for it.
            return {one: self._each([one])[one] for one in distinct}
        return {one: found.get(one) for one in distinct}


def _tell(told: asyncio.Future[Found | None], found: Found | Exception | None) -> None:
    if told.done():
        return  # the one who asked is gone
    if isinstance(found, Exception):
        told.set_exception(found)
    else:
        told.set_result(found)
