"""Who waits to be thawed, and what is under way already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from common.thawing.tiers import Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """Frozen objects of one row that wait to be asked for."""

    id: int
    bag: int
    campaign: str | None
    bytes: int
    objects: int
    span: Span
    since: datetime
    priority: int = 0
    deadline: datetime | None = None
    cost: Decimal = Decimal(0)
    """Of asking for it: retrieval, requests, and the readable copy for the longest window."""
    days: int | None = None
    """Days that the request names; None: as many as the work needs."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts against the budget."""

    bytes: int = 0
    """In flight: admitted, not copied yet."""
    objects: int = 0
    warm: int = 0
    """Bytes of those in flight that can be read already."""
    due: int = 0
    """Bytes of those in flight that will surely be readable before what is asked for now."""
    bytes_today: int = 0
    requests_today: int = 0
    cost_this_month: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One location at one moment."""

    now: datetime
    zone: tzinfo
    waiting: Sequence[Candidate]
    usage: Usage = Usage()
    campaigns: Mapping[str | None, int] = field(default_factory=dict)
    """Bytes in flight by campaign."""
    bags: Mapping[int, int] = field(default_factory=dict)
    """Bytes in flight by bag."""
    copy_rate: float | None = None
    """Bytes per second, measured; None: not yet."""
