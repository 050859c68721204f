"""Snapshots of a location, as the planner sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from common.ports import Tier
from common.thawing.admission import Decision, plan
from common.thawing.budget import Budget
from common.thawing.candidates import Candidate, Snapshot, Usage
from common.thawing.tiers import span

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
GB, TB = 10**9, 10**12


def waits(number: int, *, waited: timedelta = timedelta(hours=1), **facts: Any) -> Candidate:
    """Row `number`, the only one of its bag, 1 GB in 10 objects of GLACIER, by Bulk."""
    given = {"bag": number, "campaign": None, "bytes": GB, "objects": 10, "span": span("GLACIER", Tier.BULK)} | facts
    return Candidate(id=number, since=NOON - waited, **given)


def decided(waiting: Sequence[Candidate], budget: Budget, usage: Usage | None = None, **facts: Any) -> Decision:
    at = {"now": NOON, "zone": UTC} | facts
    return plan(Snapshot(waiting=waiting, usage=usage or Usage(), **at), budget, location="glacier")


def ids(decision: Decision) -> list[int]:
    return [one.id for one in decision.admitted]
