"""What thawing may take at one location: how much at once, in a day, in a month, and at which hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

DAY = timedelta(days=1)
MOST_EXTENSIONS = 3
"""How often one row's readable copies are prolonged, unless a budget says otherwise."""
_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in which restores may be asked for, in minutes since midnight."""

    first: int
    end: int
    """The minute after the last; not later than `first` where the hours go past midnight."""

    def cover(self, minute: int) -> bool:
        if self.first < self.end:
            return self.first <= minute < self.end
        return minute >= self.first or minute < self.end

    def __str__(self) -> str:
        return f"{self.first // 60:02}:{self.first % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


@dataclass(frozen=True, slots=True)
class Budget:
    """None: no limit. In flight is what was admitted and has not been copied yet."""

    bytes_in_flight: int | None = None
    objects_in_flight: int | None = None
    bytes_per_day: int | None = None
    requests_per_day: int | None = None
    cost_per_month: Decimal | None = None
    hours: tuple[Hours, ...] = ()
    """Empty: at all hours."""
    copy_rate: float | None = None
    """Bytes per second that copying is taken to reach until it has been measured."""
    longest_days: int = 3
    """The window: days that a readable copy is asked for at most."""
    longest_wait: timedelta = timedelta(days=7)
    """Whoever has waited for longer goes before everybody else."""
    most_extensions: int = MOST_EXTENSIONS
    """How often one row's readable copies are prolonged."""

    def opens(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When restores may next be asked for; None: now."""
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if not self.hours or any(hours.cover(minute) for hours in self.hours):
            return None
        ahead = min((hours.first - minute) % _MINUTES for hours in self.hours)
        return now + timedelta(minutes=ahead) - timedelta(seconds=now.second, microseconds=now.microsecond)


def next_day(now: datetime, zone: tzinfo) -> datetime:
    """Midnight, where the location is: what counts by the day begins anew."""
    tomorrow = (now.astimezone(zone) + DAY).date()
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)


def next_month(now: datetime, zone: tzinfo) -> datetime:
    """The first midnight of the next month, where the location is."""
    local = now.astimezone(zone)
    return datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
