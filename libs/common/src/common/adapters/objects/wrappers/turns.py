"""Turns at a store: the threads of a process wait here until another request may be in flight."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, TypeVar

from common.adapters.objects.wrappers.adaptive import AdaptiveLimit, Change
from common.errors import Throttled

if TYPE_CHECKING:
    from common.sharing import Share

T = TypeVar("T")


class Turns:
    """Counts requests in flight and keeps them below an adaptive limit. Safe to share between threads."""

    def __init__(
        self,
        *,
        ceiling: int,
        name: str = "",
        share: Share | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = AdaptiveLimit(ceiling)
        self._share = share
        """Where the ceiling is that of all processes together; None: of this one alone."""
        self._name = name
        """The location's id, for the log."""
        self._clock = clock
        self._in_flight = self._waiting = 0
        self._most = 0
        """In flight at the same time, since the limit fell last."""
        self._lock = Lock()
        self._free = Condition(self._lock)

    @property
    def limit(self) -> int:
        """How many may be in flight now."""
        if self._share is None:
            return self._limit.limit
        return min(self._limit.limit, self._share.requests(self._limit.ceiling))

    def request(self, act: Callable[[], T]) -> T:
        """What `act`, one request, returns or raises; waits for a turn first, and learns from the answer."""
        self._take()
        try:
            return self.learning(act)
        finally:
            self._give_back()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until a request may begin, and counts it as in flight until the end. Learns nothing."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def several(self, most: int) -> Iterator[int]:
        """As `turn`, for as many requests at a time as may begin, up to `most`: how many. Waits for the first alone."""
        self._take()
        taken = 1
        try:
            with self._lock:
                taken += max(0, min(most - 1, self.limit - self._in_flight))
                self._in_flight += taken - 1
                self._most = max(self._most, self._in_flight)
            yield taken
        finally:
            self._give_back(taken)

    def learn_all(self, answers: Iterable[object]) -> None:
        """As `learning`, of answers whose errors are values; None says nothing."""
        for answer in answers:
            if isinstance(answer, Throttled):
                self.refused(answer)
            elif answer is not None and not isinstance(answer, Exception):
                self._succeeded()

    def learning(self, act: Callable[[], T]) -> T:
        """What `act` returns or raises; the limit falls where the store asked for less, and recovers where not."""
        try:
            answer = act()
        except Throttled as error:
            self.refused(error)
            raise
        self._succeeded()
        return answer

    def _succeeded(self) -> None:
        if self._limit.limit == self._limit.ceiling:
            return
        with self._lock:
            change = self._limit.succeeded(self._clock())
            if change is not Change.NONE:
                self._free.notify()
        if change is Change.RECOVERED:
            _log().info("store takes as much as before", location=self._name, requests=self._limit.limit)

    def refused(self, error: Throttled) -> None:
        """The store asked for less."""
        with self._lock:
            change = self._limit.throttled(self._clock(), in_flight=self._most, retry_after=error.retry_after)
            if change is Change.FELL:
                self._most = self._in_flight
        if change is Change.FELL:
            _log().warning(
                "store asks for less",
                location=self._name,
                requests=self._limit.limit,
                retry_after=error.retry_after,
                reason=str(error),
            )

    def used(self) -> None:
        """The store is being used; to be called outside of locks, because the other processes may be told of it."""
        if self._share is not None:
            self._share.use()

    def _take(self) -> None:
        if self._share is not None:
            self._share.use()
        with self._lock:
            while (pause := self._limit.pause(self._clock())) or self._in_flight >= self.limit:
                self._waiting += 1
                self._free.wait(pause or None)
                self._waiting -= 1
            self._in_flight += 1
            if self._most < self._in_flight:
                self._most = self._in_flight
            if self._waiting and self._in_flight < self.limit:
                # Somebody may have been woken during a pause, in vain: pass on the word.
                self._free.notify()

    def _give_back(self, turns: int = 1) -> None:
        with self._lock:
            self._in_flight -= turns
            if self._waiting:
                # Whoever is woken passes on the word as long as there are turns.
                self._free.notify()


def _log() -> Any:
    # Imported when there is something to tell, which is seldom; with its colours it takes long.
    import structlog

    return structlog.get_logger()
