"""The step that brings a segment's objects back."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from bag_warmer.batching import Batching, Requests
from bag_warmer.gate import Errand, Gate, OpenGate
from bag_warmer.thaw import Batch, Thaw, extended, none_batched, noted, remembered, thaw
from bag_warmer.warming import Warming, unfinished
from common.domain.segment import PlannedFile
from common.domain.storage_class import ARCHIVED, Classes
from common.errors import AccessDenied
from common.jobs import SegmentJob
from common.outcome import Done, Outcome, Rejected
from common.pools import Pools
from common.ports import ObjectInfo, ObjectStore, Stores
from common.wording import count


class ThawSegment:
    """Asks for what is frozen of a segment, and releases the segment when all of it can be read."""

    def __init__(
        self,
        *,
        stores: Stores,
        warming: Warming,
        gate: Gate | None = None,
        pools: Pools = ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
        requests: Requests | None = None,
    ) -> None:
        self._clock = clock
        self._requests = requests
        """What segments gather for batches; None: every object is asked for by itself."""
        self._stores = stores
        self._gate = gate or OpenGate()
        self._pools = pools
        self._warming = warming

    def __call__(self, job: SegmentJob) -> Outcome:
        store, began = self._stores(job.source.id), self._clock()
        wanted = {job.source_key(file): file for file in job.files if not file.fetched}

        def listed() -> dict[str, ObjectInfo]:
            return _listed(store, wanted, root=job.source.root(job.bag), checkpoint=job.hold.checkpoint)

        infos = listed()
        # Once more before objects are called others: listings lag, and may come with a wrong byte.
        if _other_objects(wanted, infos) and (refused := _other_objects(wanted, infos := listed())):
            return refused
        errand = Errand.of(job)
        found = self._thawed(job, store, wanted, infos, errand)
        unready = unfinished(
            found,
            what="object",
            check_every=self._warming.check_every,
            bucket=job.source.bucket,
            looked_ago=self._clock() - began,
        )
        if unready is None and (until := _first_to_expire(listed() if found.accepted else infos)):
            self._gate.readable(errand, until)
        return unready or Done(said=_said(found))

    def _thawed(
        self,
        job: SegmentJob,
        store: ObjectStore,
        wanted: Mapping[str, PlannedFile],
        infos: Mapping[str, ObjectInfo],
        errand: Errand,
    ) -> Thaw:
        wish = self._warming.wish_of(job.options, job.source.id)
        found = thaw(
            infos.values(),
            store=store,
            cold=self._stores.cold(job.source.id),
            wish=wish,
            asked=remembered(job.progress),
            checkpoint=job.hold.checkpoint,
            spare=lambda frozen: self._copied(job, {info.key: wanted[info.key] for info in frozen}),
            batch=self._batch(job),
            permit=lambda frozen: self._gate.admit(errand, frozen, wish).after(extended(job.progress)),
            pools=self._pools,
        )
        if found.accepted:
            self._gate.asked(errand, found.accepted)
        cold = lying(infos.values(), found)
        if found.accepted or not found.ready or cold != job.progress.get("cold", {}):
            job.hold.remember(**noted(job.progress, found, wish), cold=cold)
        return found

    def _batch(self, job: SegmentJob) -> Batch:
        if self._requests is None or job.source.id not in self._warming.batched:
            return none_batched
        return Batching(self._requests, job.segment_id, job.options.get("clientTag"))

    def _copied(self, job: SegmentJob, frozen: Mapping[str, PlannedFile]) -> set[str]:
        """Keys of files that lie at the destination in their full length: the bytes there decide, not the source's."""
        keys = {job.destination_key(file): key for key, file in frozen.items()}
        try:
            there = _listed(
                self._stores(job.destination.id),
                keys,
                root=job.destination.root(job.bag),
                checkpoint=job.hold.checkpoint,
            )
        except AccessDenied:
            # The warmer may do without this right: it then thaws what was copied before, too.
            return set()
        return {keys[name] for name, info in there.items() if info.size == frozen[keys[name]].size}


def lying(infos: Iterable[ObjectInfo], found: Thaw) -> dict[str, dict[str, list[int]]]:
    """What is being restored, and what can be read although its class is archived: number and bytes by class.

    The ledger's triggers count it, for the report of storage classes.
    """
    waiting, away = set(found.warming), found.spared | set(found.failed)
    states = {"restoring": Classes(), "restored": Classes()}
    for info in infos:
        name = info.storage_class or ""
        if info.key in found.asked or (info.key in waiting and info.restore and info.restore.ongoing):
            states["restoring"].add(name, info.size)
        elif name in ARCHIVED and info.key not in waiting and info.key not in away:
            states["restored"].add(name, info.size)
    return {state: classes.amounts for state, classes in states.items() if classes.amounts}


def _first_to_expire(infos: Mapping[str, ObjectInfo]) -> datetime | None:
    """As the store says; None where nothing expires."""
    return min(
        (info.restore.expires_at for info in infos.values() if info.restore and info.restore.expires_at), default=None
    )


def _said(found: Thaw) -> str:
    spared = f", {len(found.spared)} more lie at the destination" if found.spared else ""
    return f"{count(found.objects - len(found.spared), 'object')} can be read{spared}"


def _listed(
    store: ObjectStore, wanted: Collection[str], *, root: str, checkpoint: Callable[[], None]
) -> dict[str, ObjectInfo]:
    """A fresh look at a segment's objects: its keys are neighbours, so a list costs a thousandth of looking at each."""
    if not wanted:
        return {}
    keys = sorted(wanted, key=str.encode)
    found: dict[str, ObjectInfo] = {}
    last = keys[-1].encode()
    for info in store.list(prefix=root, start_after=_just_before(keys[0], root)):
        checkpoint()
        if info.key.encode() > last:
            break
        if info.key in wanted:
            found[info.key] = info
    return found


def _just_before(key: str, root: str) -> str | None:
    """A key that sorts before `key` with next to nothing between them. None where that would leave the bag."""
    before = chr(max(0, ord(key[-1]) - 1))
    if before.isalnum():
        # "data/8…" for "data/9": not "data/", after which all of a flat folder may come.
        return f"{key[:-1]}{before}\U0010ffff"
    return key[:-1] if len(key) > len(root) + 1 else None


def _other_objects(wanted: Mapping[str, PlannedFile], infos: Mapping[str, ObjectInfo]) -> Rejected | None:
    """The pinned objects must still be there and be the same ones."""
    gone = [file.path for key, file in wanted.items() if key not in infos]
    if gone:
        told = f"{count(len(gone), 'object')} vanished from the source: {', '.join(gone[:20])}"
        return Rejected(code="source_vanished", why=told, for_user=told)
    other = [
        f"{file.path} (ETag {infos[key].etag}, planned {file.etag})"
        for key, file in wanted.items()
        if infos[key].etag != file.etag
    ]
    if other:
        told = f"{count(len(other), 'object')} changed at the source since planning: {', '.join(other[:20])}"
        return Rejected(code="source_changed", why=told, for_user=told)
    return None
