"""Bringing a set of objects back: look, ask for what is frozen and was not asked for, say what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bag_warmer.warmth import INTELLIGENT_TIERING, Request, Warmth, request_for, warmth
from common.errors import Throttled
from common.pools import Pools
from common.ports import ColdStore, ObjectInfo, ObjectStore, Restore, Tier


@dataclass(frozen=True, slots=True)
class Wish:
    """How the objects shall be brought back."""

    tier: Tier = Tier.BULK
    days: int = 3
    """How long the readable copies shall last, 1 and up."""
    margin: timedelta = timedelta(hours=12)
    """A copy that expires sooner is extended before it is relied on."""
    status_lag: timedelta = timedelta(minutes=15)
    """For so long after an accepted request a store may still say nothing of it: the object counts as warming."""


@dataclass(frozen=True, slots=True)
class Thaw:
    """What one look at the objects found and did."""

    objects: int
    warming: list[str] = field(default_factory=list)
    """Keys that cannot be read yet."""
    asked: dict[str, str] = field(default_factory=dict)
    """When each key was last asked for, by the store's clock, ISO 8601; to be remembered for the next look."""
    requests: int = 0
    accepted: int = 0
    """Objects whose restore the store took on, or whose readable copy it prolonged, this time; and their bytes."""
    accepted_bytes: int = 0
    throttled: bool = False
    """The store asked for less; not everything was asked for yet."""
    classes: frozenset[str] = frozenset()
    """Storage classes, or archive tiers where there are any, of what cannot be read yet."""

    @property
    def ready(self) -> bool:
        return not self.warming


def thaw(
    infos: Iterable[ObjectInfo],
    *,
    store: ObjectStore,
    cold: ColdStore | None,
    wish: Wish,
    asked: Mapping[str, str],
    checkpoint: Callable[[], None],
    threads: int = 8,
    pools: Pools = ThreadPoolExecutor,
) -> Thaw:
    """One round. Objects must come from a fresh look at the store; `asked` is what earlier rounds remembered.

    Raises AccessDenied, NotFound and other StoreErrors of a single object: they would come again.
    """
    found = list(infos)
    if cold is None:
        return Thaw(objects=len(found))
    now = cold.now()
    with pools(max_workers=threads) as pool:
        found = list(pool.map(lambda info: _looked_at(info, store), found))
        states = [(info, _state(info, now=now, wish=wish, asked=asked)) for info in found]
        needy = [info for info, state in states if state in (Warmth.COLD, Warmth.LUKEWARM)]
        asks = _Asks(cold, wish, checkpoint)
        answers = dict(zip([info.key for info in needy], pool.map(asks.ask, needy), strict=True))
    waiting = {info.key: info for info, state in states if _waits(state, answers.get(info.key))}
    stamp = now.isoformat()
    taken = [info for info in needy if answers[info.key] in (Restore.ACCEPTED, Restore.ALREADY_RESTORED)]
    fresh = {key: stamp for key, answer in answers.items() if answer is Restore.ACCEPTED}
    return Thaw(
        objects=len(found),
        warming=sorted(waiting),
        asked={key: when for key, when in asked.items() if key in waiting} | fresh,
        requests=len([answer for answer in answers.values() if answer is not None]),
        accepted=len(taken),
        accepted_bytes=sum(info.size for info in taken),
        throttled=asks.throttled,
        classes=frozenset(info.archive_status or info.storage_class or "" for info in waiting.values()),
    )


class _Asks:
    """Sends restore requests until the store asks for less."""

    def __init__(self, cold: ColdStore, wish: Wish, checkpoint: Callable[[], None]) -> None:
        self._cold = cold
        self._wish = wish
        self._checkpoint = checkpoint
        self.throttled = False

    def ask(self, info: ObjectInfo) -> Restore | None:
        """What the store answered; None where it was not asked because it is throttling."""
        self._checkpoint()
        if self.throttled:
            return None
        request = request_for(info, tier=self._wish.tier, days=self._wish.days)
        try:
            return self._send(info, request)
        except Throttled:
            self.throttled = True
            return None

    def _send(self, info: ObjectInfo, request: Request) -> Restore:
        try:
            return self._cold.restore(key=info.key, version_id=info.version_id, days=request.days, tier=request.tier)
        except Throttled:
            if request.tier is not Tier.EXPEDITED:
                raise
            # Expedited has a capacity of its own; Standard may well be taken at the same moment.
            return self._cold.restore(key=info.key, version_id=info.version_id, days=request.days, tier=Tier.STANDARD)


def noted(progress: Mapping[str, Any], found: Thaw, wish: Wish) -> dict[str, Any]:
    """What to remember after a round: when each key was asked for, and all that was asked of the store so far."""
    if not found.accepted:
        return {"asked": found.asked}
    before = progress.get("restores", {})
    restores = {
        "tier": wish.tier.value,
        "days": wish.days,
        "objects": before.get("objects", 0) + found.accepted,
        "bytes": before.get("bytes", 0) + found.accepted_bytes,
    }
    return {"asked": found.asked, "restores": restores}


def _looked_at(info: ObjectInfo, store: ObjectStore) -> ObjectInfo:
    return store.head(key=info.key) if info.storage_class == INTELLIGENT_TIERING else info


def _state(info: ObjectInfo, *, now: datetime, wish: Wish, asked: Mapping[str, str]) -> Warmth:
    state = warmth(info, now=now, margin=wish.margin)
    before = asked.get(info.key)
    if state is Warmth.COLD and before and now - datetime.fromisoformat(before) < wish.status_lag:
        return Warmth.WARMING
    return state


def _waits(state: Warmth, answer: Restore | None) -> bool:
    """Whether an object is still to be waited for, after what the store answered."""
    if answer is not None:
        # Also of a lukewarm object: a restore that begins now means that the readable copy has expired meanwhile.
        return answer is Restore.ACCEPTED
    # A lukewarm object that was not asked for can still be read.
    return state in (Warmth.COLD, Warmth.WARMING)
