"""What somebody asks for, checked against the register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.domain.location import Location
from common.ledger.bags import BagRecord


@dataclass(frozen=True, slots=True)
class Wish:
    """A copy of a bag version that somebody asks for, checked against the register."""

    bag: BagRecord
    source: Location
    destination: Location
    options: Mapping[str, Any]
    callback_url: str | None = None
    retry_of: UUID | None = None
    """The failed ingest that this one does again."""

    @property
    def priority(self) -> int:
        """As `options` has it, so that a retry of the ingest has it too."""
        return int(self.options.get("priority", 0))

    @property
    def deadline(self) -> datetime | None:
        text = self.options.get("deadline")
        return None if text is None else datetime.fromisoformat(text)
