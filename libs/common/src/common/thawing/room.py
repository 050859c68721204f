"""What is left of a budget while candidates are taken in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.thawing.budget import DAY, Budget, next_day, next_month
from common.thawing.candidates import Candidate, Snapshot
from common.wording import count, size

SOON = timedelta(seconds=30)
"""Looked again so soon where somebody may go on any moment."""


@dataclass(frozen=True, slots=True)
class Short:
    """What there is not enough of."""

    why: str
    until: datetime
    for_all: bool = False
    """Nobody else can go either."""
    comes_free: bool = False
    """Others keep it from going: letting nobody else ahead makes room for it."""


class Room:
    """What is left of the budget while candidates are taken in."""

    def __init__(self, snapshot: Snapshot, budget: Budget) -> None:
        self._at, self._budget, used = snapshot, budget, snapshot.usage
        self.rate = snapshot.copy_rate or budget.copy_rate
        self.bytes, self._objects = used.bytes, used.objects
        self._today, self._requests, self._cost = used.bytes_today, used.requests_today, used.cost_this_month

    def take(self, one: Candidate) -> None:
        self.bytes += one.bytes
        self._objects += one.objects
        self._today += one.bytes
        self._requests += one.objects
        self._cost += one.cost

    def lacks(self, one: Candidate) -> Short | None:
        """What stands against it, or None. What is larger than a limit fits alone; only money is never overspent."""
        return self._in_flight(one) or self._copying(one) or self._by_the_day(one) or self._by_the_month(one)

    def _in_flight(self, one: Candidate) -> Short | None:
        soon = self._at.now + SOON
        if _over(self.bytes, one.bytes, self._budget.bytes_in_flight):
            told = f"{size(self.bytes)} of {size(self._budget.bytes_in_flight or 0)} in flight"
            return Short(told, soon, comes_free=True, for_all=self.bytes >= (self._budget.bytes_in_flight or 0))
        if _over(self._objects, one.objects, self._budget.objects_in_flight):
            told = f"{self._objects:,} of {count(self._budget.objects_in_flight or 0, 'object')} in flight"
            return Short(told, soon, comes_free=True, for_all=self._objects >= (self._budget.objects_in_flight or 0))
        return None

    def _copying(self, one: Candidate) -> Short | None:
        """Little's law: a line of `backlog` bytes takes backlog / rate to copy, and half a window is what it may."""
        if self.rate is None:
            return None
        most = int(self.rate * (self._budget.longest_days * DAY / 2).total_seconds())
        used = self._at.usage
        drained = min(int(self.rate * one.span.soonest.total_seconds()), used.warm + used.due)
        backlog = max(0, self.bytes - drained)
        if not _over(backlog, one.bytes, most):
            return None
        told = f"copying takes {size(int(self.rate))} a second and has {size(backlog)} before it"
        return Short(told, self._at.now + SOON, comes_free=True, for_all=backlog >= most)

    def _by_the_day(self, one: Candidate) -> Short | None:
        tomorrow = next_day(self._at.now, self._at.zone)
        if _over(self._today, one.bytes, self._budget.bytes_per_day):
            told = f"{size(self._today)} of {size(self._budget.bytes_per_day or 0)} for today are used"
            return Short(told, tomorrow, for_all=self._today >= (self._budget.bytes_per_day or 0))
        if _over(self._requests, one.objects, self._budget.requests_per_day):
            told = f"{self._requests:,} of {count(self._budget.requests_per_day or 0, 'request')} for today are used"
            return Short(told, tomorrow, for_all=self._requests >= (self._budget.requests_per_day or 0))
        return None

    def _by_the_month(self, one: Candidate) -> Short | None:
        most = self._budget.cost_per_month
        if most is None or self._cost + one.cost <= most:
            return None
        told = f"{self._cost:.2f} of {most:.2f} for this month are spent, and {one.cost:.2f} more are needed"
        return Short(told, next_month(self._at.now, self._at.zone))


def _over(used: int, more: int, most: int | None) -> bool:
    return most is not None and used > 0 and used + more > most
