"""What is refused of a thaw when it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.location import LocationId
from ingests_api.tiers import tier_fault, tier_fault_everywhere

COLD, DEEP = LocationId("cold"), LocationId("deep")
NO_EXPEDITED = (
    'Invalid value at .options.tier: got "Expedited", which is not offered for DEEP_ARCHIVE, where cold keeps its '
    "bags. Send Standard (within 12 hours) or Bulk (within 48 hours)."
)
NO_DAYS = (
    "Invalid value at .options.restoredDays: got 3, but cold keeps its bags in INTELLIGENT_TIERING, where restoring "
    "moves objects for good and takes no days. Leave it out."
)


@pytest.mark.parametrize(
    ("archived", "options", "fault"),
    [
        ("DEEP_ARCHIVE", {"tier": "Expedited"}, NO_EXPEDITED),
        ("DEEP_ARCHIVE", {"tier": "Standard", "restoredDays": 3}, None),
        ("DEEP_ARCHIVE", {"tier": "Bulk"}, None),
        ("DEEP_ARCHIVE", {}, None),
        *(("GLACIER", {"tier": tier, "restoredDays": 3}, None) for tier in ("Expedited", "Standard", "Bulk")),
        *(("INTELLIGENT_TIERING", {"tier": tier}, None) for tier in ("Expedited", "Standard", "Bulk")),
        ("INTELLIGENT_TIERING", {"restoredDays": 3}, NO_DAYS),
        (None, {"tier": "Expedited", "restoredDays": 3}, None),
    ],
)
def test_pitfall_11_a_tier_that_the_class_has_not_is_refused_with_those_that_it_has(
    archived: str | None, options: dict[str, Any], fault: str | None
) -> None:
    assert tier_fault(options, archived=archived, location=COLD) == fault


def test_a_campaign_is_refused_only_where_no_source_of_it_could_be_thawed_so() -> None:
    options = {"tier": "Expedited"}

    both = tier_fault_everywhere(options, sources=[COLD, DEEP], frozen={COLD: "DEEP_ARCHIVE", DEEP: "DEEP_ARCHIVE"})
    one = tier_fault_everywhere(options, sources=[COLD, DEEP], frozen={DEEP: "DEEP_ARCHIVE"})
    none = tier_fault_everywhere(options, sources=[], frozen={})

    assert (both, one, none) == (NO_EXPEDITED, None, None)
