"""Which tag files an import would have thawed: a bounded look at the bags that come first."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from bag_register.walking import Found, walk
from common.domain.location import Location
from common.errors import NotFound
from common.ports import ObjectInfo, ObjectStore
from common.stored_bag import StoredBag
from common.thawing.costs import Amount
from common.thawing.warmth import INTELLIGENT_TIERING, Warmth, class_of, warmth


@dataclass(frozen=True, slots=True)
class Bounds:
    """Somebody waits for the answer: the look ends with whichever comes first."""

    bags: int = 100
    seconds: float = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen."""

    bags: int
    complete: bool
    """These are all bags there are."""
    frozen: Mapping[str, Amount]
    """Tag files that would be asked for, by storage class or archive tier. Those on their way already are not."""


class _Enough(Exception):
    """A bound was reached."""


def look(
    store: ObjectStore,
    *,
    location: Location,
    prefix: str,
    now: datetime,
    bounds: Bounds,
    clock: Callable[[], float] = time.monotonic,
) -> Look:
    """Look at bags below the location's prefix + `prefix`, by key. `now` is the store's clock.

    Raises what the store raises.
    """
    until, bags, complete = clock() + bounds.seconds, 0, False
    frozen: dict[str, Amount] = defaultdict(lambda: Amount(0, 0))

    def checkpoint() -> None:
        if clock() > until:
            raise _Enough

    with suppress(_Enough):
        for found in walk(store, location=location, prefix=prefix, after=None, checkpoint=checkpoint):
            if found.bag is None:
                continue
            if bags == bounds.bags:
                raise _Enough
            # A bag that the time does not suffice for counts with nothing of it.
            cold = [info for info in _tag_files(found, store, location, checkpoint) if _cold(info, now)]
            for info in cold:
                frozen[class_of(info)] += Amount(1, info.size)
            bags += 1
        complete = True
    return Look(bags, complete, dict(frozen))


def _tag_files(
    found: Found, store: ObjectStore, location: Location, checkpoint: Callable[[], None]
) -> Iterable[ObjectInfo]:
    """As the store tells of each: of Intelligent-Tiering only HEAD tells the archive tier."""
    root = f"{location.prefix}{found.path}/"
    listed = found.objects
    if listed is None:
        infos = StoredBag(store, root=root, checkpoint=checkpoint).tag_files()
    else:
        infos = [info for info in listed if not info.key.startswith(f"{root}data/")]
    for info in infos:
        checkpoint()
        with suppress(NotFound):
            yield store.head(key=info.key) if info.storage_class == INTELLIGENT_TIERING else info


def _cold(info: ObjectInfo, now: datetime) -> bool:
    return warmth(info, now=now, margin=timedelta(0)) is Warmth.COLD
