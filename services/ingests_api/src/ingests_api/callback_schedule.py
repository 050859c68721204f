"""When a callback is sent, and what an answer means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SCHEDULE: tuple[timedelta, ...] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after the attempt before (the first: after the ingest finished) each attempt is made: 3 days in all."""

_GONE = 410


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a callback after an attempt."""

    state: str
    """succeeded, failed, or pending: it is sent again."""
    again_in: timedelta | None = None


def judge(*, attempt: int, status: int | None, hopeless: bool = False) -> Verdict:
    """2xx is success and nothing else is. 410 ends it, and so does an address that may not be called (`hopeless`)."""
    if status is not None and 200 <= status < 300:
        return Verdict("succeeded")
    if hopeless or status == _GONE or attempt >= len(SCHEDULE):
        return Verdict("failed")
    return Verdict("pending", SCHEDULE[attempt])
