"""A process's part of a location's limits, which all processes of a deployment share.

Each process that uses the location tells so every few seconds, and is told how many do. A limit is divided by that
number; nothing is negotiated. Between two tellings a process that begins is not yet known to the others, so for at
most :data:`PERIOD` they take more together than the limit says. A process that uses nothing takes no part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from common.errors import BackfillError

log = structlog.get_logger()

PERIOD = 10.0
"""Seconds between two tellings of a process that uses the location."""


@dataclass(frozen=True, slots=True)
class Users:
    """How many processes use a location now."""

    asking: int = 1
    """That send requests."""
    moving: int = 1
    """That read or write bytes."""


class Share:
    """This process's part of one location's limits. Safe to share between threads."""

    def __init__(
        self,
        tell: Callable[[bool], Users],
        *,
        name: str = "",
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        """Tells that this process uses the location and, if true, that it moves bytes; returns who does."""
        self._name = name
        self._period = period
        self._clock = clock
        self._users: Users | None = None
        self._next = float("-inf")
        self._moves = self._told_moving = False
        self._telling = threading.Lock()

    def requests(self, ceiling: int) -> int:
        """How many of `ceiling` requests may be in flight from here, as far as is known; one at least. Asks nobody."""
        return max(1, ceiling // max(1, (self._users or Users()).asking))

    def rate(self, rate: float) -> float:
        """How many of `rate` bytes per second may pass here. Asking is telling: who asks is about to move bytes."""
        self._moves = True
        if not self._told_moving:
            # The others must not wait a period for a process that has only sent requests so far.
            self._next = float("-inf")
        self.use()
        return rate / max(1, (self._users or Users()).moving)

    def use(self) -> None:
        """This process uses the location: to be called with every request, and while bytes pass."""
        if self._due() and self._telling.acquire(blocking=self._users is None):
            # One thread tells, the others go on with what was last heard; but nobody begins before the first answer.
            try:
                if self._due():
                    self._renew()
            finally:
                self._telling.release()

    def _due(self) -> bool:
        return self._users is None or self._clock() >= self._next

    def _renew(self) -> None:
        self._told_moving, self._moves = self._moves, False
        before = self._users
        self._next = self._clock() + self._period
        try:
            self._users = self._tell(self._told_moving)
        except BackfillError as error:
            # The ledger is away: what was last heard is the best guess, and nobody new can begin without it.
            self._users = before or Users()
            log.warning("share not renewed", location=self._name, error=str(error))
        if before is not None and self._users != before:
            log.info("share changed", location=self._name, asking=self._users.asking, moving=self._users.moving)
