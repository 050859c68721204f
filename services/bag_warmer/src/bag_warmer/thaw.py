"""Bringing a set of objects back: look, ask for what is frozen and was not asked for, say what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bag_warmer.asking import Asking, Sent
from bag_warmer.gate import Permit
from bag_warmer.wishes import Asked, Wish
from common.errors import BackfillError
from common.outcome import Wait
from common.pools import Pools
from common.ports import ColdStore, ObjectInfo, ObjectStore, Restore, Tier
from common.thawing.warmth import INTELLIGENT_TIERING, Warmth, answered, longest, request_for, unasked, warmth

Spare = Callable[[Sequence[ObjectInfo]], set[str]]
"""Which of these frozen objects need not be read at all."""

Permits = Callable[[Sequence[ObjectInfo]], Permit]
"""What may be asked for now, where these are frozen and needed."""

Batch = Callable[[Sequence[ObjectInfo], Wish], Mapping[str, Sent | None]]
"""What of these cold objects a batch asks for (None), as is wished, or was answered."""


def none_batched(_cold: Sequence[ObjectInfo], _wish: Wish) -> Mapping[str, Sent | None]:
    """Every object is asked for by itself."""
    return {}


_NEVER = datetime.min.replace(tzinfo=UTC)
"""For stores whose objects have no copies that expire."""


def none_spared(_frozen: Sequence[ObjectInfo]) -> set[str]:
    """Every object is needed."""
    return set()


def all_permitted(_frozen: Sequence[ObjectInfo]) -> Permit:
    """Nothing is held back."""
    return Permit()


@dataclass(frozen=True, slots=True)
class Thaw:
    """What one look at the objects found and did."""

    objects: int
    warming: list[str] = field(default_factory=list)
    """Keys that cannot be read yet."""
    asked: dict[str, Asked] = field(default_factory=dict)
    """When and how each of them was last asked for; to be remembered for the next look."""
    sent: tuple[Sent, ...] = ()
    """Every request that was answered."""
    spared: frozenset[str] = frozenset()
    """Keys that are frozen and need not be read."""
    failed: Mapping[str, tuple[Warmth, BackfillError | None]] = field(default_factory=dict)
    """Keys that nothing can be done for here, or not now; and what the store said, where it said something."""
    throttled: bool = False
    """The store asked for less; not everything was asked for yet."""
    tiers: frozenset[Tier] = frozenset()
    """Wished for what cannot be read yet."""
    promised: timedelta = timedelta(0)
    """How long the provider says that it takes at most, from a request on."""
    held: Wait | None = None
    """Why what is cold was not asked for."""

    @property
    def ready(self) -> bool:
        return not self.warming and not self.failed

    @property
    def trouble(self) -> BackfillError | None:
        """What the store said of some object that is neither good nor final."""
        return next((error for state, error in self.failed.values() if state is Warmth.ERROR and error), None)

    @property
    def accepted(self) -> list[Sent]:
        """What the store took on, or prolonged, this time."""
        return [one for one in self.sent if one.accepted]

    @property
    def fell_back(self) -> list[Sent]:
        """What was asked for more slowly than wished, for want of capacity."""
        return [one for one in self.sent if one.fell_back and one.accepted]


@dataclass(frozen=True, slots=True)
class _Seen:
    """One object as a look found it."""

    info: ObjectInfo
    warmth: Warmth
    error: BackfillError | None = None


def thaw(
    infos: Iterable[ObjectInfo],
    *,
    store: ObjectStore,
    cold: ColdStore | None,
    wish: Wish,
    asked: Mapping[str, Asked],
    checkpoint: Callable[[], None],
    spare: Spare = none_spared,
    batch: Batch = none_batched,
    permit: Permits = all_permitted,
    threads: int = 8,
    pools: Pools = ThreadPoolExecutor,
) -> Thaw:
    """One round. Objects must come from a fresh look at the store; `asked` is what earlier rounds remembered.

    What the store says about a single object is in the answer and keeps no other object from being asked for.
    Raises what it says about the bucket, and what `spare` and `permit` raise.
    """
    if cold is None:
        return _found([_Seen(info, unasked(info)) for info in infos], [], asked=asked, now=_NEVER, wish=wish)
    now = cold.now()
    with pools(max_workers=threads) as pool:
        looked = list(pool.map(lambda info: _looked(info, store), infos))
        seen = [_judged(one, now=now, wish=wish, asked=asked) for one in looked]
        frozen = [one.info for one in seen if one.warmth is Warmth.COLD]
        spared = spare(frozen) if frozen else set()
        seen = [one for one in seen if one.info.key not in spared]
        may = permit([info for info in frozen if info.key not in spared])
        wish = replace(wish, days=may.days or wish.days)
        asking = Asking(cold, wish, checkpoint)
        held = {} if may.held else batch([one.info for one in seen if one.warmth is Warmth.COLD], wish)
        alone = [one for one in seen if one.info.key not in held]
        sent = [one for one in held.values() if one] + _ask(alone, asking, pool, asked=asked, wish=wish, may=may)
    found = _found(seen, sent, asked=asked, now=now, wish=wish)
    return replace(found, objects=len(looked), spared=frozenset(spared), throttled=asking.throttled, held=may.held)


def remembered(progress: Mapping[str, Any]) -> dict[str, Asked]:
    """What earlier rounds noted."""
    return {key: Asked.read(noted) for key, noted in progress.get("asked", {}).items()}


def noted(progress: Mapping[str, Any], found: Thaw, wish: Wish) -> dict[str, Any]:
    """What to remember after a round: how each key was asked for, and all that was asked of the store so far."""
    asked = {key: one.noted() for key, one in found.asked.items()}
    taken = found.accepted
    if not taken:
        return {"asked": asked}
    before = progress.get("restores", {})
    extensions = extended(progress) + any(one.answer is Restore.ALREADY_RESTORED for one in taken)
    restores = {
        "tier": wish.tier.value,
        "days": max(one.request.days or wish.days for one in taken),
        "objects": before.get("objects", 0) + len(taken),
        "bytes": before.get("bytes", 0) + sum(one.info.size for one in taken),
    }
    return {"asked": asked, "restores": restores | ({"extensions": extensions} if extensions else {})}


def extended(progress: Mapping[str, Any]) -> int:
    """How often readable copies were prolonged so far."""
    return int(progress.get("restores", {}).get("extensions", 0))


def _looked(info: ObjectInfo, store: ObjectStore) -> tuple[ObjectInfo, BackfillError | None]:
    if info.storage_class != INTELLIGENT_TIERING:
        return info, None
    try:
        return store.head(key=info.key), None
    except BackfillError as error:
        return info, error


def _judged(
    looked: tuple[ObjectInfo, BackfillError | None], *, now: datetime, wish: Wish, asked: Mapping[str, Asked]
) -> _Seen:
    info, error = looked
    if error is not None:
        return _Seen(info, answered(error), error)
    state = warmth(info, now=now, margin=wish.margin)
    before = asked.get(info.key)
    if state is Warmth.COLD and before and now - before.at < wish.status_lag:
        return _Seen(info, Warmth.WARMING)
    return _Seen(info, state)


def _ask(
    seen: list[_Seen], asking: Asking, pool: Executor, *, asked: Mapping[str, Asked], wish: Wish, may: Permit
) -> list[Sent]:
    """Ask for what is cold or about to expire; and, faster, for what was asked for more slowly than is wished now."""

    def one(seen: _Seen) -> Sent | None:
        before = asked.get(seen.info.key)
        return asking.ask(seen.info, days=before.days if before and seen.warmth is Warmth.WARMING else None)

    needy = [one for one in seen if one.error is None and _wants(one, asked.get(one.info.key), wish, may)]
    return [sent for sent in pool.map(one, needy) if sent is not None]


def _wants(seen: _Seen, before: Asked | None, wish: Wish, may: Permit) -> bool:
    if seen.warmth is Warmth.WARMING:
        wanted = request_for(seen.info, tier=wish.tier_of(seen.info), days=wish.days)
        if before is None:
            # Somebody else's, of a tier we do not know: asked for once, which is refused where it is as fast.
            return wanted.tier.faster_than(Tier.BULK)
        return before.slower_than(wanted.tier)
    if seen.warmth is Warmth.LUKEWARM:
        return may.may_extend
    return seen.warmth is Warmth.COLD and may.held is None


def _found(seen: list[_Seen], sent: list[Sent], *, asked: Mapping[str, Asked], now: datetime, wish: Wish) -> Thaw:
    answers = {one.info.key: one for one in sent}
    after = [_after(one, answers.get(one.info.key)) for one in seen]
    waiting = {one.info.key: one.info for one in after if one.warmth in (Warmth.COLD, Warmth.WARMING)}
    failed = {one.info.key: (one.warmth, one.error) for one in after if one.warmth.hopeless or one.error}
    fresh = {one.info.key: Asked(now, one.wished, one.request.days) for one in sent if one.warmth is Warmth.WARMING}
    return Thaw(
        objects=len(seen),
        warming=sorted(waiting),
        asked={key: when for key, when in (dict(asked) | fresh).items() if key in waiting},
        sent=tuple(sent),
        failed=failed,
        tiers=frozenset(wish.tier_of(info) for info in waiting.values()),
        promised=max((_longest(info, wish) for info in waiting.values()), default=timedelta(0)),
    )


def _after(seen: _Seen, sent: Sent | None) -> _Seen:
    """What is known of an object after it was asked for."""
    if sent is None:
        # A lukewarm object that was not asked for can still be read.
        return seen
    state, error = sent.warmth, sent.answer if isinstance(sent.answer, BackfillError) else None
    if state is Warmth.COLD or (seen.warmth is Warmth.WARMING and not state.hopeless):
        # Without capacity; or it was only to be made faster, and goes on as it is.
        return replace(seen, warmth=Warmth.WARM if state is Warmth.WARM else seen.warmth)
    return _Seen(seen.info, state, error)


def _longest(info: ObjectInfo, wish: Wish) -> timedelta:
    return longest(info.archive_status or info.storage_class, wish.tier_of(info))
