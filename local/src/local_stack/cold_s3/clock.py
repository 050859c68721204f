"""Simulated time: runs at a ratio of real time, stands still at ratio 0, and jumps when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Starts at `start`. `monotonic` gives real seconds."""

    def __init__(
        self, *, ratio: float, start: datetime | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._ratio = _checked(ratio)
        self._then = start or datetime.now(UTC)
        self._real = monotonic()

    @property
    def ratio(self) -> float:
        """Simulated seconds per real second."""
        return self._ratio

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    def set_ratio(self, ratio: float) -> None:
        """From now on. Raises ValueError for a negative ratio."""
        checked = _checked(ratio)
        with self._lock:
            self._rebase(self._now())
            self._ratio = checked

    def advance(self, seconds: float) -> None:
        """Jump. Raises ValueError for a negative jump: time never goes back."""
        if seconds < 0:
            raise ValueError(f"advance_seconds must be 0 or more, was {seconds}")
        with self._lock:
            self._rebase(self._now() + timedelta(seconds=seconds))

    def real_seconds_until(self, moment: datetime) -> float | None:
        """How long until the clock shows `moment` by itself: 0 when it has, None when it stands still."""
        missing = (moment - self.now()).total_seconds()
        if missing <= 0:
            return 0.0
        return missing / self._ratio if self._ratio else None

    def _now(self) -> datetime:
        return self._then + timedelta(seconds=(self._monotonic() - self._real) * self._ratio)

    def _rebase(self, now: datetime) -> None:
        self._then, self._real = now, self._monotonic()


def _checked(ratio: float) -> float:
    if ratio < 0:
        raise ValueError(f"ratio must be 0 or more simulated seconds per second, was {ratio}")
    return ratio
