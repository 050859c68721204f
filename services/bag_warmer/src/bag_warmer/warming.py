"""How this archive thaws and cuts, and what a round of thawing comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bag_warmer.thaw import Thaw
from bag_warmer.wishes import Wish
from common.domain.bagit.policy import Policy
from common.domain.location import LocationId
from common.domain.segment import SegmentLimits
from common.outcome import Awaited, Rejected, Wait
from common.ports import Tier
from common.thawing.warmth import Warmth
from common.wording import count


@dataclass(frozen=True, slots=True)
class Warming:
    """How this archive thaws and cuts."""

    wish: Wish = field(default_factory=Wish)
    check_every: timedelta = timedelta(minutes=15)
    """How long to leave frozen objects alone before looking again."""
    limits: SegmentLimits = field(default_factory=SegmentLimits)
    policy: Policy = field(default_factory=lambda: Policy(allow_fetch=True))

    wishes: Mapping[LocationId, Wish] = field(default_factory=dict)
    """Of locations that have their own."""
    batched: frozenset[LocationId] = frozenset()
    """Locations where many objects are asked for as one batch."""

    def wish_of(self, options: Mapping[str, Any], source: LocationId) -> Wish:
        """The archive's wish for the source, with what the ingest asked for in its place."""
        wish = self.wishes.get(source, self.wish)
        if tier := options.get("tier"):
            wish = replace(wish, tier=Tier(tier), tiers={})
        return replace(wish, days=int(options.get("restoredDays") or wish.days))


def unfinished(
    found: Thaw, *, what: str, check_every: timedelta, bucket: str | None = None, looked_ago: float = 0
) -> Rejected | Wait | None:
    """What a round leaves to be done; None: everything can be read. Raises what the store said where that may pass.

    `bucket`: whose events are waited for, if any. `looked_ago`: seconds since the look began; what the store tells from
    then on is news.
    """
    if refusal := refused(found, what=what):
        return refusal
    if trouble := found.trouble:
        raise trouble
    if not found.warming:
        return None
    wait = waiting(found, what=what, check_every=check_every)
    if bucket is None or found.held:
        # What was not asked for is told of by nobody.
        return wait
    return replace(wait, awaited=Awaited(bucket, frozenset(found.warming), timedelta(seconds=looked_ago)))


_HOPELESS = {
    Warmth.VANISHED: ("source_vanished", "vanished from the source"),
    Warmth.ACCESS_DENIED: ("access_denied", "cannot be restored: the store denies it to the bag warmer"),
    Warmth.NOT_RESTORABLE: ("not_restorable", "lie archived, and asking does not bring them back"),
}


def refused(found: Thaw, *, what: str) -> Rejected | None:
    """Names every object that nothing can be done for, of the worst kind; None where there is none."""
    for state, (code, said) in _HOPELESS.items():
        keys = sorted(key for key, (warmth, _) in found.failed.items() if warmth is state)
        if keys:
            first = found.failed[keys[0]][1]
            told = f"{count(len(keys), what)} {said}: {', '.join(keys[:20])}"
            return Rejected(code=code, why=f"{told}; {first}" if first else told, for_user=told)
    return None


def waiting(found: Thaw, *, what: str, check_every: timedelta) -> Wait:
    """Leave frozen objects alone for a while; a throttled round goes on soon."""
    if found.held:
        return replace(found.held, told=_fallbacks(found))
    again = min(check_every, timedelta(seconds=10)) if found.throttled else check_every
    hours = found.promised.total_seconds() / 3600
    within = f"{hours:.0f} hours" if hours >= 1 else "minutes"
    tiers = " and ".join(sorted(found.tiers))
    why = f"waiting for {count(len(found.warming), what)} to thaw ({tiers}, within {within})"
    return Wait(again_in=again, why=why, promised=found.promised, told=_fallbacks(found))


def _fallbacks(found: Thaw) -> tuple[str, ...]:
    """What the history says where a restore is slower than somebody wished."""
    tiers = sorted({(one.wished, one.request.tier) for one in found.fell_back})
    return tuple(f"{wished} has no capacity at the moment: asked for {tier} instead" for wished, tier in tiers)
