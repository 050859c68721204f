"""A campaign: many backfills of one destination, asked for together and let into the pipeline a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CampaignState(StrEnum):
    """How far a campaign is. Whether it is paused is told beside this, because a pause can come at any time."""

    SELECTING = "selecting"
    """Writing down which bag versions it is about."""
    CREATING = "creating"
    """Making their ingests, none of which is let into the pipeline yet."""
    RUNNING = "running"
    CANCELLING = "cancelling"
    """Nothing more is let in; what is under way comes to its end."""
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The selection was not what the request expected; nothing was created."""

    @property
    def terminal(self) -> bool:
        return self in (CampaignState.FINISHED, CampaignState.CANCELLED, CampaignState.REFUSED)


class Order(StrEnum):
    """Which bag versions go first."""

    OLDEST = "oldest"
    """By the date on which they were deposited."""
    SMALLEST = "smallest"
    """By bytes."""
    REGISTERED = "registered"
    """As the register came to know them."""


class Disposition(StrEnum):
    """What became of one bag version when its ingest was to be created."""

    CREATED = "created"
    JOINED = "joined"
    """An ingest for the same bag version and destination ran already: its outcome counts."""
    ALREADY_THERE = "already there"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a campaign may be under way at once. None: no limit of the campaign's own."""

    bags_in_flight: int = 100
    bytes_in_flight: int | None = None
    bytes_per_day: int | None = None
    """Let into the pipeline in any 24 hours."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a campaign has under way, and what it let in lately."""

    bags: int
    bytes: int
    today: int
    """Bytes let in during the last 24 hours."""

    def admits(self, size: int, limits: Limits) -> bool:
        """Whether a bag version of `size` bytes may be let in as well.

        One that is larger than a limit may go when nothing else counts against it, so that none starves for ever.
        """
        flight, day = limits.bytes_in_flight, limits.bytes_per_day
        return (
            self.bags < limits.bags_in_flight
            and (flight is None or self.bytes + size <= flight or not self.bags)
            and (day is None or self.today + size <= day or not self.today)
        )

    def plus(self, size: int) -> Load:
        return Load(self.bags + 1, self.bytes + size, self.today + size)


def shares(*, total: int, wants: list[int]) -> list[int]:
    """`total` places among campaigns of one priority, evenly, none getting more than it wants. Sums to at most `total`.

    The first ones get what cannot be divided.
    """
    given = [0] * len(wants)
    hungry = [number for number, want in enumerate(wants) if want > 0]
    while total > 0 and hungry:
        each = max(1, total // len(hungry))
        for number in hungry:
            more = min(each, wants[number] - given[number], total)
            given[number] += more
            total -= more
        hungry = [number for number in hungry if given[number] < wants[number]]
    return given
