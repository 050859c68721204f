"""Stores that can bring archived objects back, and the stores of a service."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.domain.location import LocationId
from common.ports.objects import ObjectStore


class Restore(StrEnum):
    """What a store answered to a request to restore an archived object."""

    ACCEPTED = "accepted"
    """It will be readable later (202), or is on its way already (409 RestoreAlreadyInProgress)."""
    ALREADY_RESTORED = "already_restored"
    """It can be read now; its days count anew (200). No event will come."""
    NOT_ARCHIVED = "not_archived"
    """It never needed restoring (403 InvalidObjectState or ObjectAlreadyInActiveTierError)."""


class Tier(StrEnum):
    """How fast an archived object is brought back."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"
    BULK = "Bulk"


class ColdStore(Protocol):
    """A store that can bring archived objects back."""

    def now(self) -> datetime:
        """The store's own clock (its Date header), by which restored copies expire. Time-zone aware."""
        ...

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        """Ask for a readable copy. `days` is None exactly where restoring moves the object (Intelligent-Tiering).

        Raises NotFound, AccessDenied, Throttled (also where Expedited has no capacity), RefusedByStore.
        """
        ...


class Stores(Protocol):
    """The stores of a service, each opened once with that service's own credentials."""

    def __call__(self, location: LocationId) -> ObjectStore:
        """Raises ConfigurationError for a location this service does not know."""
        ...

    def cold(self, location: LocationId) -> ColdStore | None:
        """None where the location's provider has nothing to thaw."""
        ...
