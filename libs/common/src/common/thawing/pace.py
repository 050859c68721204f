"""How fast copying is, measured while it had something to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_ENOUGH = 5
"""Rows that a measurement needs."""
_LEAST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Copied:
    """Objects that could be read since `readable` and were copied by `copied`."""

    readable: datetime
    copied: datetime
    bytes: int


def busy_rate(sample: Iterable[Copied]) -> float | None:
    """Bytes per second while anything lay readable; None where too little was copied to tell.

    Time without work does not count: a rate that sank because little was thawed would have less thawed yet.
    """
    rows = sorted(sample, key=lambda row: row.copied)
    if len(rows) < _ENOUGH:
        return None
    # The first only says since when: what was copied while it stood in line is not in the sample.
    busy, until = timedelta(0), rows[0].copied
    for row in rows[1:]:
        busy += row.copied - max(until, min(row.readable, row.copied))
        until = row.copied
    return sum(row.bytes for row in rows[1:]) / max(busy, _LEAST).total_seconds()
