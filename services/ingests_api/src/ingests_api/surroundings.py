"""What the API needs from the process it runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine

from common.domain.location import LocationId
from common.ledger.claims import Patience
from common.web.auth import Guard
from ingests_api.callback_addresses import ONLY_PUBLIC, Allowed
from ingests_api.choosing import Offer
from ingests_api.streaming.streams import Rhythm

ReadObject = Callable[[LocationId, str, int], bytes]
"""An object's bytes, at most so many. Raises StoreError, TransientError, and ValueError where there are more."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the API needs from the process it runs in."""

    engine: Engine
    offer: Offer
    new_id: Callable[[], UUID]
    guard: Guard
    wake_relay: Callable[[], None]
    """Called when a hint was put into the outbox."""
    callbacks: Allowed = ONLY_PUBLIC
    """Where callbacks may go."""
    token_life: timedelta = timedelta(hours=1)
    """How long an access token is good for."""
    patience: Patience = field(default_factory=Patience)
    public_url: str = ""
    version: str = "0"
    listeners: int = 200
    """How many may listen to events at the same time."""
    rhythm: Rhythm = field(default_factory=Rhythm)
    """Of streams of events."""
    read_object: ReadObject | None = None
    """For lists that lie in a store; None: this process opens none."""
