"""The thaw budget of a location, as the locations file has it.

[locations.glacier.thaw_budget]
bytes_in_flight = "2 TB"
requests_per_day = 500_000
cost_per_month = "400"
hours = ["20:00-06:00"]
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from common.thawing.budget import MOST_EXTENSIONS, Budget, Hours
from common.thawing.prices import Price

_UNITS = {"B": 1} | {f"{letter}B": 1000**power for power, letter in enumerate("KMGTP", start=1)}
_UNITS |= {f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", start=1)}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)")
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?- ?([01]?\d|2[0-4]):([0-5]\d)")


def octets(value: object) -> object:
    """ "2 TB" as bytes; whole numbers as they are."""
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value)
    if not found or found[2] not in _UNITS:
        raise ValueError('write a number of bytes, or a size such as "2 TB" (units B, KB, MB, GB, TB, PB, KiB, … PiB)')
    return int(Decimal(found[1]) * _UNITS[found[2]])


def _hours(value: object) -> object:
    if isinstance(value, Hours):
        return value
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    first, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if first == end or end > 24 * 60:
        raise ValueError('write hours as "20:00-06:00"; leave the setting out where all hours will do')
    return Hours(first, end)


def _rate(value: object) -> object:
    """ "80 MB/s" as bytes per second."""
    if not isinstance(value, str):
        return value
    if not value.endswith("/s"):
        raise ValueError('write a rate such as "80 MB/s"')
    return octets(value.removesuffix("/s"))


Octets = Annotated[int, BeforeValidator(octets), Field(gt=0)]


class ThawBudget(BaseModel):
    """What thawing may take at the location; what is left out has no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes_in_flight: Octets | None = None
    """Asked for and not copied yet: "2 TB". What is larger goes alone."""
    objects_in_flight: int | None = Field(default=None, gt=0)
    """The same, in objects."""
    bytes_per_day: Octets | None = None
    """By the location's day."""
    requests_per_day: int | None = Field(default=None, gt=0)
    """Restore requests, one for each object."""
    cost_per_month: Price | None = None
    """In the currency of the price book, such as "400"; never overspent, by the prices that the book has."""
    hours: tuple[Annotated[Hours, BeforeValidator(_hours)], ...] = ()
    """When restores are asked for, in the location's `timezone`: ["20:00-06:00"]. Empty: at all hours."""
    copy_rate: Annotated[float, BeforeValidator(_rate), Field(gt=0)] | None = None
    """What copying from here is taken to reach, such as "80 MB/s", until it was measured."""
    longest_days: int = Field(default=3, ge=1, le=365)
    """Days that readable copies are asked for at most. Copying half of that time's work may lie readable."""
    longest_wait_days: int = Field(default=7, ge=1)
    """Whoever has waited longer goes before everybody else, and room is made for it."""
    most_extensions: int = Field(default=MOST_EXTENSIONS, ge=0)
    """How often readable copies of one segment are prolonged."""

    @property
    def budget(self) -> Budget:
        return Budget(
            bytes_in_flight=self.bytes_in_flight,
            objects_in_flight=self.objects_in_flight,
            bytes_per_day=self.bytes_per_day,
            requests_per_day=self.requests_per_day,
            cost_per_month=self.cost_per_month,
            hours=self.hours,
            copy_rate=self.copy_rate,
            longest_days=self.longest_days,
            longest_wait=timedelta(days=self.longest_wait_days),
            most_extensions=self.most_extensions,
        )
