"""What can be known of a thaw when it is asked for: which tiers the source's storage class has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from common.domain.location import LocationId
from common.ports import Tier

_WITHIN = {
    "DEEP_ARCHIVE": {Tier.STANDARD: "within 12 hours", Tier.BULK: "within 48 hours"},
    "GLACIER": {
        Tier.EXPEDITED: "within minutes",
        Tier.STANDARD: "within 5 hours",
        Tier.BULK: "within 12 hours",
    },
}
"""Of INTELLIGENT_TIERING only each object tells in which of two archive tiers it lies: nothing is refused for it."""


def tier_fault(options: Mapping[str, Any], *, archived: str | None, location: LocationId) -> str | None:
    """Why no object of class `archived` can be thawed so; None where it can, or nobody knows."""
    tier, offered = options.get("tier"), _WITHIN.get(archived or "")
    if tier is not None and offered and Tier(tier) not in offered:
        told = " or ".join(f"{one} ({within})" for one, within in offered.items())
        return (
            f'Invalid value at .options.tier: got "{tier}", which is not offered for {archived}, where {location} '
            f"keeps its bags. Send {told}."
        )
    if options.get("restoredDays") is not None and archived == "INTELLIGENT_TIERING":
        return (
            f"Invalid value at .options.restoredDays: got {options['restoredDays']}, but {location} keeps its bags in "
            f"{archived}, where restoring moves objects for good and takes no days. Leave it out."
        )
    return None


def tier_fault_everywhere(
    options: Mapping[str, Any],
    *,
    sources: Iterable[LocationId],
    frozen: Mapping[LocationId, str],
) -> str | None:
    """The same for whatever may come from any of the sources: only where none of them could."""
    faults = [tier_fault(options, archived=frozen.get(one), location=one) for one in sources]
    return faults[0] if faults and all(faults) else None
