"""Stores that can bring archived objects back, and the stores of a service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.domain.location import LocationId
from common.errors import BackfillError
from common.ports.objects import ObjectStore
from common.records import record


class Restore(StrEnum):
    """What a store answered to a request to restore an archived object."""

    ACCEPTED = "accepted"
    """It will be readable later (202): a new restore, or one that runs and was made faster."""
    IN_PROGRESS = "in_progress"
    """It is on its way already, at least as fast (409 RestoreAlreadyInProgress). Nothing was taken on or billed."""
    ALREADY_RESTORED = "already_restored"
    """It can be read now; its days count anew (200). No event will come."""
    NOT_ARCHIVED = "not_archived"
    """It never needed restoring (403 InvalidObjectState or ObjectAlreadyInActiveTierError)."""


class Tier(StrEnum):
    """How fast an archived object is brought back."""

    EXPEDITED = "Expedited"
    STANDARD = "Standard"
    BULK = "Bulk"

    def faster_than(self, other: Tier) -> bool:
        return list(Tier).index(self) < list(Tier).index(other)


class ColdStore(Protocol):
    """A store that can bring archived objects back."""

    def now(self) -> datetime:
        """The store's own clock (its Date header), by which restored copies expire. Time-zone aware."""
        ...

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        """Ask for a readable copy. `days` is None exactly where restoring moves the object (Intelligent-Tiering).

        A restore that runs is made faster by asking again with the same days and a faster tier.
        Raises NotFound, AccessDenied, Throttled, NoCapacity (Expedited only), NotRestorable, RefusedByStore.
        """
        ...


@record
class Letter:
    """A message from a queue that others write to."""

    body: str
    receipt: str
    """Opaque; to forget it by."""


class RestoreQueue(Protocol):
    """What a store tells by itself of objects that are brought back. At least once, in no order."""

    def receive(self, *, wait: float) -> list[Letter]:
        """Some messages, or none after `wait` seconds. Those that are not forgotten come again.

        Raises TransientError, and StoreErrors where the queue is not there or may not be read.
        """
        ...

    def forget(self, letters: Sequence[Letter]) -> None:
        """They are dealt with."""
        ...


class Family(StrEnum):
    """What a restore makes of an archived object; one batch cannot hold both."""

    COPY = "copy"
    """A readable copy for some days (GLACIER, DEEP_ARCHIVE)."""
    MOVE = "move"
    """Out of the archive tier for good (Intelligent-Tiering): takes no days."""


@record
class BatchOrder:
    """Restores that are to be asked for together."""

    token: str
    """The same for the same order, however often it is sent: at most 64 characters."""
    objects: Sequence[tuple[str, str | None]]
    """Key and version."""
    tier: Tier
    """Standard or Bulk: batches have no Expedited."""
    days: int | None
    """None exactly for what is moved."""
    tag: str | None = None
    """For the bill."""


@record
class BatchStatus:
    """How far a batch is. One that has ended has asked for its objects; they are not restored by then."""

    name: str
    """As the store calls it."""
    ended: bool
    complete: bool
    """Ended, having tried every object."""
    tried: int = 0
    failed: int = 0
    why: str = ""


class BatchRestores(Protocol):
    """A store that takes many restore requests at once."""

    def submit(self, order: BatchOrder) -> str:
        """The batch's id. The same order again: the same id. Raises StoreErrors and TransientErrors."""
        ...

    def look(self, batch_id: str) -> BatchStatus:
        """How far it is."""
        ...

    def failures(self, batch_id: str, token: str) -> Iterator[tuple[str, Restore | BackfillError]]:
        """Keys that were asked for in vain, and the answer for each. Of a batch that has ended."""
        ...


class Stores(Protocol):
    """The stores of a service, each opened once with that service's own credentials."""

    def __call__(self, location: LocationId) -> ObjectStore:
        """Raises ConfigurationError for a location this service does not know."""
        ...

    def cold(self, location: LocationId) -> ColdStore | None:
        """None where the location's provider has nothing to thaw."""
        ...
