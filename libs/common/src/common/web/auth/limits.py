"""How often a caller may call."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

_WINDOW = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a caller has left."""

    allowed: bool
    headers: Mapping[str, str]
    """As draft-ietf-httpapi-ratelimit-headers has them; with Retry-After where it is not allowed."""


class Limits:
    """Counts requests of callers in this process, in a sliding minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, caller_id: str) -> Left:
        """One more request of this caller."""
        allowed = self._limiter.hit(self._item, caller_id)
        stats = self._limiter.get_window_stats(self._item, caller_id)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        remaining = max(0, stats.remaining)
        headers = {
            "RateLimit-Policy": f'"requests";q={self.per_minute};w={_WINDOW}',
            "RateLimit": f'"requests";r={remaining};t={wait}',
        }
        return Left(allowed, headers if allowed else headers | {"Retry-After": str(wait)})
