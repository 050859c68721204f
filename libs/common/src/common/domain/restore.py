"""What a store tells by itself about objects that are being brought back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Happened(StrEnum):
    """What happened to an archived object."""

    INITIATED = "initiated"
    """Somebody asked for it."""
    COMPLETED = "completed"
    """It can be read."""
    EXPIRED = "expired"
    """Its readable copy is gone."""
    ARCHIVED = "archived"
    """Intelligent-Tiering moved it to an archive tier."""


@dataclass(frozen=True, slots=True)
class RestoreEvent:
    """One thing that happened to one object, by whomever it was asked for. May come twice, late and out of order."""

    what: Happened
    bucket: str
    key: str
    at: datetime | None = None
    """By the store's clock."""
    expires_at: datetime | None = None
    """Of a completed restore: until when the copy can be read, where there is a copy."""
