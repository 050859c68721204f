"""Thawing that is slow, stuck, short or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from common.adapters.objects.memory import MemoryColdStore
from common.errors import StoreUnavailable, Throttled
from common.ports import Restore, Tier
from simulation.decisions import Fault
from simulation.places import Place
from simulation.world import Process

_KINDS = (
    *("restore_slow", "restore_stuck", "restore_short", "restore_refused"),
    *("store_keeps_silent", "kill_after"),
)


class FailingColdStore:
    """ColdStore of one process: restores may be slow, stuck, short or refused."""

    def __init__(self, place: Place, process: Process, *, unstuck: Callable[[object], None]) -> None:
        self._inner = MemoryColdStore(place.bucket)
        self._place = place
        self._process = process
        self._unstuck = unstuck

    def now(self) -> datetime:
        return self._inner.now()

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        fault = self._process.point("restore", *_KINDS)
        self._place.refuse_where_due(self._process)
        if fault and fault.kind == "restore_refused":
            raise Throttled("simulated: no more restores now")
        needless = self._place.needless(key, self._process)
        answer = self._inner.restore(key=key, version_id=version_id, days=days, tier=tier)
        self._place.note("restore", key, self._process, needless=needless)
        if answer is Restore.ACCEPTED and fault:
            self._change(key, version_id, fault)
        if fault and fault.kind == "store_keeps_silent":
            raise StoreUnavailable("simulated: the answer was lost")
        if fault and fault.kind == "kill_after":
            self._process.die()
        return answer

    def _change(self, key: str, version_id: str | None, fault: Fault) -> None:
        thaw = self._place.bucket.find(key, version_id).thaw
        if thaw is None:
            return
        lasts = None if thaw.expires_at is None else thaw.expires_at - thaw.done_at
        if fault.kind == "restore_slow":
            thaw.done_at += timedelta(hours=24 * fault.value)
        elif fault.kind == "restore_stuck":
            thaw.done_at += timedelta(days=1000)
            self._unstuck(thaw)
        elif fault.kind == "restore_short" and lasts:
            lasts = timedelta(minutes=1 + 600 * fault.value)
        if lasts is not None:
            thaw.expires_at = thaw.done_at + lasts
