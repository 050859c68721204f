"""How often and how long to try again: full jitter, bounded in attempts and in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from common.errors import Throttled, TransientError
from common.records import record

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")


@record
class Patience:
    """Bounds of one call; times in seconds."""

    attempts: int = 5
    total: float = 60
    """No new attempt begins later than this after the first failure: an attempt may have waited long for its turn."""
    first_wait: float = 0.2
    longest_wait: float = 20
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Random | None = None
    """Where the parts come from; None: from anywhere."""

    def __call__(self, act: Callable[[], T]) -> T:
        """What `act` returns. Raises its last TransientError when patience ends, and anything else at once."""
        failed_at: float | None = None
        for attempt in range(1, self.attempts + 1):
            try:
                return act()
            except TransientError as problem:
                now = self.clock()
                failed_at = now if failed_at is None else failed_at
                wait = self.wait_after(attempt, problem)
                if attempt == self.attempts or now - failed_at + wait > self.total:
                    raise
                self.sleep(wait)
        raise AssertionError("attempts must be 1 or more")

    def wait_after(self, attempt: int, problem: TransientError) -> float:
        """Seconds to wait: a random part of the doubled wait, and never less than the store asked for."""
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        asked = problem.retry_after if isinstance(problem, Throttled) else None
        return max(_uniform(self.random, ceiling), asked or 0.0)


def _uniform(source: Random | None, most: float) -> float:
    # Imported here: it takes long, and is for those whose store fails.
    import random

    return (source or random).uniform(0, most)
