"""Dates as stores write them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_MOMENTS = 256
"""Dates to the second that are remembered: what was written together lies together."""


@lru_cache(_MOMENTS)
def http_moment(date: str) -> datetime:
    """A date as HTTP writes it (RFC 5322), in UTC. Raises ValueError."""
    # Imported here: it takes long, and not every store needs it.
    from email.utils import parsedate_to_datetime

    try:
        return in_utc(parsedate_to_datetime(date))
    except OverflowError:
        raise ValueError(f"{date!r} is beyond all dates") from None


def in_utc(moment: datetime) -> datetime:
    """One that keeps its zone to itself ("-0000") is in UTC, as all of HTTP's are. Raises ValueError."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{moment} is beyond all dates in UTC") from None
