"""When an ingest will be done, as far as anybody can know, and how much of it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH = 20
"""Observed restores of one kind, from which on they say more than the provider's table."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Restores of one kind that have ended."""

    number: int
    most_took: timedelta
    """Nine of ten took no longer."""


@dataclass(frozen=True, slots=True)
class Thawing:
    """Part of an ingest that cannot be read yet."""

    asked: datetime | None
    """None: it waits for its turn."""
    latest: timedelta
    """What the provider says that it takes at most."""


def takes(latest: timedelta, observed: Mapping[timedelta, Observed]) -> timedelta:
    """How long a restore of this kind may take: by observation where there is enough of it."""
    seen = observed.get(latest)
    return seen.most_took if seen is not None and seen.number >= ENOUGH else latest


def expected(
    *,
    now: datetime,
    thawing: Sequence[Thawing],
    observed: Mapping[timedelta, Observed],
    left: int,
    rate: float | None,
) -> datetime | None:
    """When `left` bytes will be copied and verified: after the last thaw, at `rate` bytes per second.

    None where the rate is not known or something waits for its turn: nobody knows then. Never before `now`.
    """
    if rate is None or any(one.asked is None for one in thawing):
        return None
    last = max((one.asked + takes(one.latest, observed) for one in thawing if one.asked), default=now)
    return max(now, last) + timedelta(seconds=left / rate)


def percent(*, done: int, whole: int, finished: bool) -> int:
    """Of confirmed work, rounded down: 100 exactly when the ingest has succeeded."""
    if finished:
        return 100
    return min(99, done * 100 // whole) if whole else 0
