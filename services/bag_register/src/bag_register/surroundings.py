"""What the register's HTTP API needs from the process it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from bag_register.document_copies import DocumentCopies
from bag_register.file_lists import FileLists
from bag_register.previewing import Previewing
from bag_register.sealing import Sealer
from bag_register.settings import Metrics
from common.domain.location import LocationId
from common.web.auth import Guard


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Shared by all routes."""

    engine: Engine
    lists: FileLists
    importable: frozenset[LocationId]
    """The locations that this process can read."""
    guard: Guard
    wake_relay: Callable[[], None] = lambda: None
    """Called when a hint was put into the outbox."""
    sealer: Sealer | None = None
    previewing: Previewing | None = None
    """What dry runs of imports look and price with; None: they cannot."""
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By location, its account and storage class as they are configured."""
    metrics: Metrics = Metrics.SCOPE
    """Who may read GET /metrics."""
    copies: DocumentCopies | None = None
    """Where large documents can be read; None where the record store gives no URLs."""
    public_url: str = ""
    version: str = "0"

    @property
    def currency(self) -> str | None:
        """The price book's; None: this process has no book."""
        book = self.previewing.pricing.book if self.previewing else None
        return book.currency if book else None
