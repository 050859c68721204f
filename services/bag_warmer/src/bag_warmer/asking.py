"""Sending restore requests: what was asked for each object, and what the store answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bag_warmer.wishes import Wish
from common.errors import BackfillError, NoCapacity, Throttled
from common.ports import ColdStore, ObjectInfo, Restore, Tier
from common.thawing.warmth import Request, Warmth, answered, request_for


@dataclass(frozen=True, slots=True)
class Sent:
    """One restore request and its answer."""

    info: ObjectInfo
    request: Request
    answer: Restore | BackfillError
    wished: Tier
    """The tier before the store had no capacity for it."""

    @property
    def warmth(self) -> Warmth:
        return answered(self.answer)

    @property
    def accepted(self) -> bool:
        """Whether the store took on a restore, or prolonged a readable copy: either is billed."""
        return self.answer in (Restore.ACCEPTED, Restore.ALREADY_RESTORED)

    @property
    def fell_back(self) -> bool:
        return self.request.tier is not self.wished


class Asking:
    """Sends requests until the store asks for less. Safe to share between threads."""

    def __init__(self, cold: ColdStore, wish: Wish, checkpoint: Callable[[], None]) -> None:
        self._cold = cold
        self._wish = wish
        self._checkpoint = checkpoint
        self.throttled = False

    def ask(self, info: ObjectInfo, *, days: int | None = None) -> Sent | None:
        """None where the store was not asked, or refused, because it is throttling.

        `days` are those of a restore that runs and is to be made faster: they must be the same.
        """
        self._checkpoint()
        if self.throttled:
            return None
        wanted = request_for(info, tier=self._wish.tier_of(info), days=days or self._wish.days)
        sent = self._send(info, wanted, wanted.tier)
        if isinstance(sent.answer, NoCapacity) and self._wish.without_capacity:
            # Expedited has a capacity of its own; the slower tiers may well be taken at the same moment.
            sent = self._send(info, Request(self._wish.without_capacity, wanted.days), wanted.tier)
        if isinstance(sent.answer, Throttled):
            self.throttled = True
            return None
        return sent

    def _send(self, info: ObjectInfo, request: Request, wished: Tier) -> Sent:
        try:
            answer: Restore | BackfillError = self._cold.restore(
                key=info.key, version_id=info.version_id, days=request.days, tier=request.tier
            )
        except BackfillError as error:
            answer = error
        return Sent(info, request, answer, wished)
