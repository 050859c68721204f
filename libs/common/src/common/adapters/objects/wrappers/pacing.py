"""Restore requests at the rate that all processes share."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Protocol

from common.errors import Throttled
from common.ports import ColdStore, Restore, Tier

_STALE = 1.0
"""Seconds after which turns that were not used are given up: used late, they would come all at once."""
_LONGEST = 0.1
"""Seconds' worth of turns that are taken at once, at most: what others wait for if we then do not use them."""


class Turns(Protocol):
    """Requests in a row: the first after `wait` seconds, the others behind it at `rate` a second."""

    @property
    def wait(self) -> float: ...

    @property
    def rate(self) -> float: ...


class SharedRate(Protocol):
    """The rate that all processes share."""

    def take(self, turns: int) -> Turns:
        """Turns for so many requests."""
        ...

    def slow_down(self) -> None:
        """The store asks for less."""
        ...


class PacedColdStore:
    """ColdStore that takes turns with others before it asks. Safe to share between threads."""

    def __init__(
        self,
        store: ColdStore,
        rate: SharedRate,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.store = store
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._size = 1
        self._left = 0
        self._next = float("-inf")
        self._gap = 0.0

    def now(self) -> datetime:
        return self.store.now()

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        wait = self._turn() - self._clock()
        if wait > 0:
            self._sleep(wait)
        try:
            return self.store.restore(key=key, version_id=version_id, days=days, tier=tier)
        except Throttled:
            self._rate.slow_down()
            with self._lock:
                self._left = 0
            raise

    def _turn(self) -> float:
        """When this request may go."""
        with self._lock:
            stale = self._clock() - self._next > _STALE
            if not self._left or stale:
                self._take(idle=stale)
            self._left -= 1
            mine, self._next = self._next, self._next + self._gap
            return mine

    def _take(self, *, idle: bool) -> None:
        """As many as may be used soon: twice as many as last time where those were used up at once."""
        asked = 1 if idle else self._size
        turns = self._rate.take(asked)
        self._size = max(1, min(asked * 2, int(turns.rate * _LONGEST)))
        self._left = asked
        self._next, self._gap = self._clock() + turns.wait, 1 / turns.rate
