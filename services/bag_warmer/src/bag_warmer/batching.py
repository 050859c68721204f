"""Asking for many objects as one batch: what a segment has gathered for it, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bag_warmer.asking import Sent
from bag_warmer.wishes import Wish
from common.errors import BackfillError, TransientError
from common.ports import Family, ObjectInfo, Restore, Tier
from common.thawing.warmth import INTELLIGENT_TIERING, request_for

SETTLES_WITHIN = timedelta(minutes=15)
"""After a batch has ended the store may still say nothing of a restore that it began."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A segment's request of one family."""

    keys: frozenset[str]
    over: bool
    """Its batch has ended, some time ago, or there is none: whatever is cold is to be asked for by itself."""
    failures: Mapping[str, Restore | BackfillError]
    """What the batch's report says of objects that were asked for in vain."""


class Requests(Protocol):
    """What segments have gathered; :class:`bag_warmer.batches.LedgerRequests` is its adapter."""

    def of(self, segment_id: int) -> Mapping[Family, Gathered]:
        """By family; none where nothing was gathered."""
        ...

    def gather(
        self,
        segment_id: int,
        *,
        family: Family,
        objects: list[ObjectInfo],
        tier: Tier,
        days: int | None,
        tag: str | None,
    ) -> None:
        """Have these asked for with others; once for a segment and family."""
        ...


def family_of(info: ObjectInfo) -> Family:
    return Family.MOVE if info.storage_class == INTELLIGENT_TIERING else Family.COPY


@dataclass(frozen=True, slots=True)
class Batching:
    """Decides, for one segment, what is left to batches. Called once in a round, with what is cold."""

    requests: Requests
    segment_id: int
    tag: str | None

    def __call__(self, cold: Iterable[ObjectInfo], wish: Wish) -> dict[str, Sent | None]:
        """By key: None where a batch asks, or will; what a batch was answered. Other keys are asked for directly."""
        return _Round(self, wish).of(cold)


@dataclass(frozen=True, slots=True)
class _Round:
    batching: Batching
    wish: Wish

    def of(self, cold: Iterable[ObjectInfo]) -> dict[str, Sent | None]:
        before = self.batching.requests.of(self.batching.segment_id)
        held: dict[str, Sent | None] = {}
        for family in Family:
            mine = [info for info in cold if family_of(info) is family and self._suits(info)]
            if family in before:
                held |= self._answered(mine, before[family])
            elif mine:
                self._gather(family, mine)
                held |= {info.key: None for info in mine}
        return held

    def _suits(self, info: ObjectInfo) -> bool:
        """Batches have no Expedited; and one request has one tier."""
        return self._tier(info) is not Tier.EXPEDITED

    def _tier(self, info: ObjectInfo) -> Tier:
        return request_for(info, tier=self.wish.tier_of(info), days=self.wish.days).tier

    def _gather(self, family: Family, objects: list[ObjectInfo]) -> None:
        """Of the slowest tier that any of them wishes for."""
        tier = Tier.BULK if any(self._tier(info) is Tier.BULK for info in objects) else Tier.STANDARD
        days = None if family is Family.MOVE else self.wish.days
        self.batching.requests.gather(
            self.batching.segment_id, family=family, objects=objects, tier=tier, days=days, tag=self.batching.tag
        )

    def _answered(self, cold: list[ObjectInfo], gathered: Gathered) -> dict[str, Sent | None]:
        held: dict[str, Sent | None] = {}
        for info in cold:
            answer = gathered.failures.get(info.key)
            if answer is not None and not gathered.over and not isinstance(answer, TransientError):
                request = request_for(info, tier=self.wish.tier_of(info), days=self.wish.days)
                held[info.key] = Sent(info, request, answer, request.tier)
            elif answer is None and info.key in gathered.keys and not gathered.over:
                held[info.key] = None
        return held
