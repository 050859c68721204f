"""Running the policies side by side, and what came of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from backfill_client.simulating.inventory import Part
from backfill_client.simulating.policies import Policy
from backfill_client.simulating.world import Sample, Terms, World


class Result(BaseModel):
    """What a policy came to."""

    model_config = ConfigDict(frozen=True)

    policy: str
    days: float
    """To the last copied byte."""
    cost: Decimal
    """Restores and readable copies; what reading and egress cost is the same for all."""
    currency: str
    requests: int
    thawed_bytes: int
    """Those thawed again included."""
    peak_bytes: int
    """Most bytes asked for and not copied."""
    longest_line_hours: float
    """That something lay readable before it was copied, at most."""
    extended: int
    expired: int
    samples: tuple[Sample, ...]
    seconds: float
    """That the simulation took."""

    def row(self) -> tuple[object, ...]:
        return (
            self.policy,
            f"{self.days:,.1f}",
            f"{self.cost:,.2f} {self.currency}",
            f"{self.requests:,}",
            f"{self.thawed_bytes / 1e12:,.1f} TB",
            f"{self.peak_bytes / 1e12:,.2f} TB",
            f"{self.longest_line_hours:,.1f}",
            f"{self.extended:,}",
            f"{self.expired:,}",
        )


COLUMNS = (
    "Policy",
    "Days",
    "Thaw cost",
    "Requests",
    "Thawed",
    "Most in flight",
    "Longest line (h)",
    "Extended",
    "Expired",
)


def run(parts: list[Part], terms: Terms, policies: Mapping[str, Policy]) -> list[Result]:
    """Each policy in a world of its own, the same dice in all of them."""
    return [_one(name, policy, World(parts, terms)) for name, policy in policies.items()]


def _one(name: str, policy: Policy, world: World) -> Result:
    begun = time.perf_counter()
    policy(world)
    ledger = world.ledger
    return Result(
        policy=name,
        days=ledger.finished / 86_400,
        cost=world.cost,
        currency=world.terms.book.currency if world.terms.book else "",
        requests=ledger.requests,
        thawed_bytes=ledger.thawed,
        peak_bytes=ledger.peak,
        longest_line_hours=ledger.longest_line / 3600,
        extended=ledger.extended,
        expired=ledger.expired,
        samples=tuple(ledger.samples),
        seconds=time.perf_counter() - begun,
    )
