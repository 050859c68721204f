"""Which of those that wait may be thawed now, for how many days, and when to look again. Pure.

The order of the line:

1. whoever has waited longer than `longest_wait`, the longest first;
2. higher priority;
3. the campaign with the least in flight, and of one campaign the bag with the least in flight, so that neither a large
   campaign nor a large bag keeps others waiting, and none of them stands still;
4. the earlier deadline, and who came first.

Somebody who does not fit lets smaller ones go ahead, until his wait is too long: then room is made for him. What is
larger than a limit goes when nothing else counts against it; only the month's money is never overspent.

Copies that have been restored expire. So no more is asked for than copying can take: what would lie readable and not
copied stays below half a window's work (Little's law).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from math import ceil

from common.thawing.budget import DAY, Budget
from common.thawing.candidates import Candidate, Snapshot
from common.thawing.line import Line
from common.thawing.room import Room, Short
from common.thawing.tiers import Span

LATER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Admitted:
    id: int
    days: int


@dataclass(frozen=True, slots=True)
class Decision:
    """`why` is what those read who go on waiting; empty where nobody does."""

    admitted: tuple[Admitted, ...]
    why: str
    look_again: datetime


def plan(snapshot: Snapshot, budget: Budget, *, location: str) -> Decision:
    """Decide for all who wait. The sentence names `location`."""
    opens = budget.opens(snapshot.now, snapshot.zone)
    if opens is not None and snapshot.waiting:
        hours = " and ".join(map(str, budget.hours))
        return Decision((), f"Waiting for the hours in which {location} may thaw: {hours} {snapshot.zone}", opens)
    return _Sitting(snapshot, budget, location).decide()


class _Sitting:
    """One decision: the line, and what counts against the budget as it grows."""

    def __init__(self, snapshot: Snapshot, budget: Budget, location: str) -> None:
        self._at = snapshot
        self._budget = budget
        self._room = Room(snapshot, budget)
        self._location = location

    def decide(self) -> Decision:
        admitted: list[Admitted] = []
        short: Short | None = None
        overdue, line = self._overdue(), Line(self._at)
        for one in chain(overdue, line.without({late.id for late in overdue})):
            missing = self._room.lacks(one)
            if missing is None:
                admitted.append(Admitted(one.id, self._days(one)))
                self._room.take(one)
                line.took(one)
                continue
            short = short or missing
            if missing.for_all or (missing.comes_free and self._late(one)):
                break  # nothing smaller could go either, or room is being made for this one
        if short is None:
            return Decision(tuple(admitted), "", self._at.now + LATER)
        return Decision(tuple(admitted), f"Waiting for the thaw budget of {self._location}: {short.why}", short.until)

    def _overdue(self) -> list[Candidate]:
        return sorted(filter(self._late, self._at.waiting), key=lambda one: (one.since, one.id))

    def _late(self, one: Candidate) -> bool:
        return self._at.now - one.since > self._budget.longest_wait

    def _days(self, one: Candidate) -> int:
        return one.days or days_for(
            ahead=self._room.bytes, own=one.bytes, rate=self._room.rate, span=one.span, most=self._budget.longest_days
        )


def days_for(*, ahead: int, own: int, rate: float | None, span: Span, most: int) -> int:
    """Days to ask for, from 1 to `most`: until the restore has ended, and twice the time that copying then takes.

    Providers round up to a midnight, and are not agreed whether days count from the request: the longer way is taken.
    """
    if rate is None:
        return most
    work = timedelta(seconds=min(2 * (ahead + own) / rate, most * DAY.total_seconds()))
    return min(most, max(1, ceil((span.latest + work) / DAY)))
