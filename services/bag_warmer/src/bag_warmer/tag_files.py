"""The step for bags that are imported and whose tag files are frozen: has them thawed, whatever lies in the payload."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bag_warmer.gate import Errand, Gate, OpenGate
from bag_warmer.thaw import extended, noted, remembered, thaw
from bag_warmer.warming import Warming, unfinished
from common.jobs import ImportJob
from common.outcome import Done, Outcome, Wait
from common.pools import Pools
from common.ports import ObjectInfo, ObjectStore, Stores
from common.stored_bag import StoredBag
from common.wording import count


class ThawTagFiles:
    """Asks for what is frozen, and hands the bags back to the import when all of it can be read."""

    def __init__(
        self,
        *,
        stores: Stores,
        warming: Warming,
        gate: Gate | None = None,
        pools: Pools = ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores = stores
        self._gate = gate or OpenGate()
        self._clock = clock
        self._warming = warming
        self._pools = pools

    def __call__(self, job: ImportJob) -> Outcome:
        began, errand = self._clock(), Errand.of(job)
        store, wish = self._stores(job.location.id), self._warming.wish_of({}, job.location.id)
        found = thaw(
            _tag_files(job, store),
            store=store,
            cold=self._stores.cold(job.location.id),
            wish=wish,
            asked=remembered(job.progress),
            checkpoint=job.hold.checkpoint,
            permit=lambda frozen: self._gate.admit(errand, frozen, wish).after(extended(job.progress)),
            pools=self._pools,
        )
        if found.accepted:
            self._gate.asked(errand, found.accepted)
        job.hold.remember(**noted(job.progress, found, wish))
        left = unfinished(
            found,
            what="tag file",
            check_every=self._warming.check_every,
            bucket=job.location.bucket,
            looked_ago=self._clock() - began,
        )
        if isinstance(left, Wait):
            return left
        # What cannot be thawed is a fault of its bag, which the import tells; the other bags do not mind.
        return Done(said=left.why if left else f"{count(found.objects, 'tag file')} can be read")


def _tag_files(job: ImportJob, store: ObjectStore) -> Iterator[ObjectInfo]:
    for path in job.scope.paths:
        root = f"{job.location.prefix}{path}/"
        yield from StoredBag(store, root=root, checkpoint=job.hold.checkpoint).tag_files()
