"""Bytes per second, over all threads of a process.

Each transfer books its bytes behind those that were booked before, and begins when these have had their time. So in
any window no more begins than the rate allows for it and one transfer more: a block of a body, or the data of a write.
Nothing is saved up while nobody transfers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from threading import Lock

LONGEST_NAP = 10.0
"""Seconds until a waiting transfer looks at the rate again: it changes with the hour, and with who shares it."""


@dataclass(slots=True)
class Pace:
    """Lets `rate()` bytes per second through; the rate is above 0, and infinite where nothing is limited."""

    rate: Callable[[], float]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _booked: int = 0
    _let_through: float = 0.0
    _looked_at: float = 0.0
    _rate: float = inf
    _lock: Lock = field(default_factory=Lock)

    def spend(self, size: int) -> None:
        """Returns when `size` bytes may begin to pass."""
        with self._lock:
            self._advance()
            place = self._booked
            self._booked += size
            wait = self._wait_for(place)
        while wait:
            self.sleep(min(wait, LONGEST_NAP))
            with self._lock:
                self._advance()
                wait = self._wait_for(place)

    def _advance(self) -> None:
        """Let time pass. Between two looks the lower of both rates held, so that no change lets more through."""
        now, rate = self.clock(), self.rate()
        earned = min(rate, self._rate) * (now - self._looked_at) if rate < inf else 0.0
        self._let_through = min(float(self._booked), self._let_through + earned)
        self._looked_at, self._rate = now, rate

    def _wait_for(self, place: int) -> float:
        """Seconds until all bytes before `place` have had their time; what rounding leaves of a byte counts as none."""
        if self._rate == inf:
            self._let_through = float(self._booked)
        left = place - self._let_through
        return left / self._rate if left >= 1 else 0.0
