"""What is said of one bag version at one location, and how a space stands against what is required."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class CopyState(StrEnum):
    """Of a bag version at a location: exactly one holds at any time."""

    VERIFIED = "verified"
    """Registered, and every byte was read back (evidence E3 or better)."""
    LISTED = "listed"
    """Registered on what the store or its provider says (E0 to E2); nobody has read it back."""
    DAMAGED = "damaged"
    """Registered, and the last time it was read again it was not what the manifests say."""
    IN_PROGRESS = "in progress"
    WAITING = "waiting for thaw"
    """In progress, and at least one of its objects is being restored from an archive tier."""
    STALLED = "stalled"
    """In progress, and a part of it has stood still for longer than its stage allows."""
    FAILED = "failed"
    """The last attempt failed, with a code."""
    MISSING = "missing"
    """Nobody asked for a copy."""
    NOT_REQUIRED = "not required"
    """There is none, and the requirements name this location for other spaces only."""

    @property
    def held(self) -> bool:
        """Whether the location is on the bag's record."""
        return self in (CopyState.VERIFIED, CopyState.LISTED, CopyState.DAMAGED)


class Health(StrEnum):
    """How the bags of a space stand."""

    HEALTHY = "HEALTHY"
    """Every location that is required for it has a verified copy of each of its bag versions."""
    DEGRADED = "DEGRADED"
    """A copy that is required is lacking, or only listed."""
    AT_RISK = "AT RISK"
    """Some bag version has fewer than two copies, or none that was read back, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which locations must hold which spaces, as the requirements say."""

    spaces: dict[str, frozenset[str] | None] = field(default_factory=dict)
    """By location; None: every space."""

    @classmethod
    def of(cls, stated: Iterable[tuple[str, str | None]]) -> Policy:
        """From pairs of location and space, None for every space."""
        spaces: dict[str, frozenset[str] | None] = {}
        for location, space in stated:
            known = spaces.get(location, frozenset())
            spaces[location] = None if space is None or known is None else known | {space}
        return cls(spaces)

    def requires(self, location: str, space: str) -> bool:
        """Whether a requirement names the location for the space."""
        if location not in self.spaces:
            return False
        spaces = self.spaces[location]
        return spaces is None or space in spaces

    def wanted(self, location: str) -> frozenset[str] | None:
        """The spaces of which a copy that is not there counts as missing; None: all.

        Where no requirement names the location, nobody has said that it is for some spaces only.
        """
        return self.spaces.get(location)

    def wants(self, location: str, space: str) -> bool:
        """Whether a copy that is not there counts as missing, and not as not required."""
        spaces = self.wanted(location)
        return spaces is None or space in spaces


@dataclass(frozen=True, slots=True)
class Amount:
    """So many bag versions, and what they come to."""

    bags: int = 0
    files: int = 0
    bytes: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.bags + other.bags, self.files + other.files, self.bytes + other.bytes)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.bags - other.bags, self.files - other.files, self.bytes - other.bytes)


@dataclass(frozen=True, slots=True)
class Place:
    """The bag versions of one space at one location, by state. States without any are left out."""

    space: str
    location: str
    required: bool
    states: dict[CopyState, Amount]


def health(places: Iterable[Place], *, at_risk: int) -> Health:
    """Of one space, from its places and the number of its bag versions at risk."""
    places = list(places)
    if at_risk or any(CopyState.DAMAGED in place.states for place in places):
        return Health.AT_RISK
    lacking = any(place.required and set(place.states) - {CopyState.VERIFIED} for place in places)
    return Health.DEGRADED if lacking else Health.HEALTHY
