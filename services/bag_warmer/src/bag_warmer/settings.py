"""The bag warmer's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field, PositiveInt

from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.location import LocationId
from common.domain.segment import SegmentLimits
from common.ports import Tier
from common.runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """How this archive thaws and cuts, beyond what every worker needs."""

    thaw_tier: Tier = Field(default=Tier.BULK, description="tier of restore requests: Expedited, Standard or Bulk")
    thaw_days: PositiveInt = Field(default=3, description="days that restored copies shall last")
    thaw_margin: timedelta = Field(default=timedelta(hours=12), description="copies that expire sooner are extended")
    thaw_status_lag: timedelta = Field(
        default=timedelta(minutes=15), description="for so long a store may not yet show a restore it accepted"
    )
    check_thaw_every: timedelta = Field(
        default=timedelta(minutes=15), description="how long frozen objects are left alone"
    )
    prices: Path | None = Field(
        default=None, description="price book (TOML) that costs and budgets go by; the shipped one if absent"
    )
    segment_files: PositiveInt = Field(default=500, description="most files in a segment")
    segment_bytes: PositiveInt = Field(default=1 << 30, description="most bytes in a segment of several files")

    @property
    def wish(self) -> Wish:
        return Wish(tier=self.thaw_tier, days=self.thaw_days, margin=self.thaw_margin, status_lag=self.thaw_status_lag)

    def warming(
        self, wishes: Mapping[LocationId, Wish] | None = None, batched: frozenset[LocationId] = frozenset()
    ) -> Warming:
        """`wishes` are those of locations that have their own; `batched`: those whose restores may go in batches."""
        limits = SegmentLimits(files=self.segment_files, bytes=self.segment_bytes)
        return Warming(
            wish=self.wish, check_every=self.check_thaw_every, limits=limits, wishes=wishes or {}, batched=batched
        )
