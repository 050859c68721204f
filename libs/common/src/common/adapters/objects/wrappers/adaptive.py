"""How many requests may be in flight: falls by half when the store asks for less, and grows back one by one. Pure.

Additive increase, multiplicative decrease, as networks share a line. Time is an argument, in seconds of any clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

WINDOW = 1.0
"""Seconds: what a store says within one is about the same load."""

LONGEST_PAUSE = 300.0
"""Seconds: no store is believed that wants more."""


class Change(Enum):
    """What an answer did to the limit."""

    NONE = "none"
    FELL = "fell"
    ROSE = "rose"
    RECOVERED = "recovered"
    """It is back where the trouble began."""


@dataclass(slots=True)
class AdaptiveLimit:
    """Between 1 and `ceiling` requests in flight. Not thread-safe: its owner holds a lock."""

    ceiling: int
    window: float = WINDOW
    limit: int = field(init=False)
    _fell_at: float = field(default=float("-inf"), init=False)
    _rose_at: float = field(default=float("-inf"), init=False)
    _paused_until: float = field(default=float("-inf"), init=False)
    _successes: int = field(default=0, init=False)
    """Since the last fall or rise."""
    _level: int = field(default=0, init=False)
    """How many were in flight when the store first complained; 0 where all is well."""

    def __post_init__(self) -> None:
        if self.ceiling < 1:
            raise ValueError(f"the ceiling must be 1 or more, was {self.ceiling}")
        self.limit = self.ceiling

    def pause(self, now: float) -> float:
        """Seconds until a new request may begin; 0 where one may now."""
        return self._paused_until - now if now < self._paused_until else 0.0

    def throttled(self, now: float, *, in_flight: int, retry_after: float | None = None) -> Change:
        """The store asked for less while at most `in_flight` requests were under way.

        The limit becomes half of these, if it was not reached: a limit that nobody reaches holds nobody back.
        """
        self._paused_until = max(self._paused_until, now + min(retry_after or 0.0, LONGEST_PAUSE))
        self._successes = 0
        if now - self._fell_at < self.window or self.limit == 1:
            return Change.NONE
        used = max(1, min(self.limit, in_flight))
        self._level = max(self._level, used)
        self._fell_at = now
        self.limit = max(1, used // 2)
        return Change.FELL

    def succeeded(self, now: float) -> Change:
        """The store answered. As many answers as the limit allows, and a window's time, earn one more in flight."""
        if self.limit == self.ceiling:
            return Change.NONE
        self._successes += 1
        if self._successes < self.limit or now - max(self._fell_at, self._rose_at) < self.window:
            return Change.NONE
        self.limit += 1
        self._rose_at = now
        self._successes = 0
        if not self._level or self.limit < self._level:
            return Change.ROSE
        self._level = 0
        return Change.RECOVERED
