"""What a probe found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from common.errors import BackfillError

WRONG = timedelta(minutes=5)
"""A clock that is so far off makes stores refuse signed requests, sooner or later."""
OFF = timedelta(seconds=30)


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Work goes on, with less safety than there could be, or a question that could not be answered."""
    FAILED = "failed"
    """Work will fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    probe: str
    """What was asked, such as "azure: create"; stable."""
    verdict: Verdict
    message: str
    remedy: str = ""
    """What to do; empty where nothing needs doing."""


def asked(probe: str, question: Callable[[], Finding]) -> Finding:
    """The answer; an error of the tree is an answer too, with its own remedy."""
    try:
        return question()
    except BackfillError as error:
        return Finding(probe, Verdict.FAILED, str(error), error.remedy)


def clocks(probe: str, *, whose: str, theirs: datetime, ours: datetime) -> Finding:
    """Compares two clocks that were read at the same time."""
    off = abs(theirs - ours)
    if off <= OFF:
        return Finding(probe, Verdict.OK, f"the clocks differ by {off.total_seconds():.0f} s")
    verdict = Verdict.FAILED if off > WRONG else Verdict.WARNING
    message = f"this machine's clock says {ours:%Y-%m-%d %H:%M:%S} UTC, {whose} {theirs:%Y-%m-%d %H:%M:%S} UTC"
    return Finding(probe, verdict, message, "Set this machine's clock, and keep it right with NTP (chrony, timesyncd).")
