"""What the warmer has to know about other versions of a bag: a port, so that the steps need no database."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId


class Presence(StrEnum):
    """Whether a bag version is at a location."""

    REGISTERED = "registered"
    UNDER_WAY = "under way"
    ABSENT = "absent"


class Records(Protocol):
    """The port; :class:`bag_warmer.records.LedgerRecords` is its adapter."""

    def locations(self) -> list[Location]:
        """Every location there is."""
        ...

    def presence(self, bag: BagVersion, version: Version, location: LocationId) -> Presence:
        """Whether another version of the same bag is at the location."""
        ...
