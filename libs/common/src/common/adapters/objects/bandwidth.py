"""How many bytes a second a location may take, by the hour: "8 MB/s", or a list of hours with their rates. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from math import inf

UNLIMITED = "unlimited"
LEAST = 64_000
"""Bytes per second. Below it a body stands still for longer than servers keep a connection."""

_DAY = 24 * 60
_UNITS = {"B": 1}
_UNITS |= {f"{letter}B": 1000**power for power, letter in enumerate("KMGT", start=1)}
_UNITS |= {f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", start=1)}
_RATE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)/s")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_RATES = 'write a rate such as "8 MB/s" (units B, KB, MB, GB, TB, KiB, MiB, GiB, TiB) or "unlimited"'


@dataclass(frozen=True, slots=True)
class Hours:
    """A rate and the part of the day in which it holds, in minutes since midnight."""

    first: int
    end: int
    """The minute after the last; not later than `first` where the hours go past midnight."""
    rate: float
    """Bytes per second; infinite where unlimited."""

    def cover(self, minute: int) -> bool:
        if self.first < self.end:
            return self.first <= minute < self.end
        return minute >= self.first or minute < self.end


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Rates by the hour: the first entry that covers a moment decides; where none does, nothing is limited."""

    hours: tuple[Hours, ...]

    def at(self, moment: time) -> float:
        """Bytes per second at this time of the location's day; infinite where unlimited."""
        minute = moment.hour * 60 + moment.minute
        return next((entry.rate for entry in self.hours if entry.cover(minute)), inf)


def read_rate(text: object) -> float:
    """Bytes per second, infinite for "unlimited". Raises ValueError with the remedy."""
    if text == UNLIMITED:
        return inf
    found = _RATE.fullmatch(text) if isinstance(text, str) else None
    if not found or found[2] not in _UNITS:
        raise ValueError(f"{text!r} is no rate; {_RATES}")
    rate = float(found[1]) * _UNITS[found[2]]
    if rate < LEAST:
        raise ValueError(f'{text!r} is too slow for a connection to stay open; write at least "64 KB/s"')
    return rate


def read_bandwidth(value: object) -> Bandwidth:
    """A rate for the whole day, or a list of `{ from, to, rate }`. Raises ValueError that lists every fault."""
    if isinstance(value, Bandwidth):
        return value
    if not isinstance(value, list):
        return Bandwidth((Hours(0, _DAY, read_rate(value)),))
    if not value:
        raise ValueError(f"an empty list says nothing; remove the setting or {_RATES}")
    found: list[Hours] = []
    faults: list[str] = []
    for number, entry in enumerate(value, start=1):
        try:
            found.append(_hours(entry))
        except ValueError as fault:
            faults.append(f"entry {number}: {fault}")
    if faults:
        raise ValueError("; ".join(faults))
    return Bandwidth(tuple(found))


def _hours(entry: object) -> Hours:
    if not isinstance(entry, dict):
        raise ValueError(f'{entry!r} is no entry; write {{ from = "08:00", to = "18:00", rate = "8 MB/s" }}')
    if unknown := sorted(set(entry) - {"from", "to", "rate"}):
        raise ValueError(f"{', '.join(unknown)}: no such field; an entry has from, to and rate")
    if "rate" not in entry:
        raise ValueError(f"rate is missing; {_RATES}")
    rate = read_rate(entry["rate"])
    if "from" not in entry and "to" not in entry:
        return Hours(0, _DAY, rate)
    if "from" not in entry or "to" not in entry:
        raise ValueError("from and to go together; give both, or neither for the rest of the day")
    first, end = _minute(entry["from"], "from"), _minute(entry["to"], "to")
    if first == end:
        raise ValueError(f"from and to are both {entry['from']}; leave both out for the whole day")
    return Hours(first, end, rate)


def _minute(value: object, name: str) -> int:
    """Minutes since midnight; "24:00" ends a day."""
    if isinstance(value, time):
        return value.hour * 60 + value.minute
    if name == "to" and value == "24:00":
        return _DAY
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'{name} = {value!r} is no time of day; write it as "08:00"')
    return int(found[1]) * 60 + int(found[2])
