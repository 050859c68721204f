"""The step that plans a replica from the bag's own manifests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from bag_warmer import planning
from bag_warmer.gate import Errand, Gate, OpenGate
from bag_warmer.presence import Presence, Records
from bag_warmer.thaw import extended, noted, remembered, thaw
from bag_warmer.warming import Warming, unfinished
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.location import LocationId
from common.domain.naming import MAPPED_NAMES, Names
from common.domain.segment import PlannedFile, SegmentPlan, cut
from common.errors import NotFound, NotRestored
from common.jobs import ReplicaJob
from common.outcome import Done, Outcome, Planned, Rejected, SeenClasses, Wait
from common.pools import Pools
from common.ports import ObjectStore, Stores
from common.stored_bag import StoredBag
from common.thawing.warmth import readable_as_listed
from common.wording import count, size

MOST_FREEZES = 10
"""How often a tag file may freeze between being found readable and being read: more than a few has a cause."""


class Plan:
    """Reads the manifests (thawing them first), refuses what cannot be, and cuts the bag into segments.

    Nothing of the payload is thawed here: a bag that cannot be valid fails before it costs anything.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        records: Records,
        warming: Warming,
        names: Callable[[LocationId], Names],
        gate: Gate | None = None,
        pools: Pools = ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores = stores
        self._pools = pools
        self._clock = clock
        self._records = records
        self._gate = gate or OpenGate()
        self._warming = warming
        self._names = names
        """What a destination does with names that it cannot hold."""

    def __call__(self, job: ReplicaJob) -> Outcome:
        store = self._stores(job.source.id)
        if waits := self._tag_files_frozen(job, store):
            return waits
        outcome = self._read(job, store)
        # One wrong byte on its way here would condemn a good bag: a refusal is what two readings say.
        return self._read(job, store) if isinstance(outcome, Rejected) else outcome

    def _read(self, job: ReplicaJob, store: ObjectStore) -> Outcome:
        source = _stored(job, store)
        try:
            reading = read_bag(source, policy=self._warming.policy)
        except NotRestored as error:
            return self._froze_again(job, error)
        except NotFound as error:
            # Listed a moment ago, and deleted or exchanged since.
            return Rejected(code="source_vanished", why=str(error), for_user=str(error))
        try:
            outcome = self._planned(job, store, reading)
        except BaseException:
            reading.inventory.close()
            raise
        if not isinstance(outcome, Done):
            reading.inventory.close()
            return outcome
        seen = SeenClasses(job.source.id, source.classes.named(job.source.provider))
        return replace(outcome, writes=(*outcome.writes, seen))

    def _tag_files_frozen(self, job: ReplicaJob, store: ObjectStore) -> Outcome | None:
        began = self._clock()
        tags = _stored(job, store).tag_files()
        if not tags:
            told = f"there is nothing at {job.source.name} under {job.source.root(job.bag)}"
            return Rejected(code="source_vanished", why=told, for_user=told)
        if all(readable_as_listed(tag.storage_class) for tag in tags):
            return None
        wish, errand = self._warming.wish_of(job.options, job.source.id), Errand.of(job)
        found = thaw(
            tags,
            store=store,
            cold=self._stores.cold(job.source.id),
            wish=wish,
            asked=remembered(job.progress),
            checkpoint=job.hold.checkpoint,
            permit=lambda frozen: self._gate.admit(errand, frozen, wish).after(extended(job.progress)),
            pools=self._pools,
        )
        if found.accepted:
            self._gate.asked(errand, found.accepted)
        job.hold.remember(**noted(job.progress, found, wish))
        return unfinished(
            found,
            what="tag file",
            check_every=self._warming.check_every,
            bucket=job.source.bucket,
            looked_ago=self._clock() - began,
        )

    def _froze_again(self, job: ReplicaJob, error: NotRestored) -> Outcome:
        """It could be read a moment ago, so its copy has expired: the next look asks again, but not for ever."""
        times = int(job.progress.get("froze", 0)) + 1
        if times > MOST_FREEZES:
            told = f"a tag file froze again {times} times: {error}"
            return Rejected(code="went_back_too_often", why=told, for_user=told)
        job.hold.remember(froze=times)
        return Wait(again_in=self._warming.check_every, why=f"a tag file froze again: {error}")

    def _planned(self, job: ReplicaJob, store: ObjectStore, reading: BagReading) -> Outcome:
        pins = {path: pin.sha256 for path, pin in reading.pins.items()}
        if refused := planning.invalid(reading) or planning.changed(pins, job.registered_pins):
            return refused
        # Each look at the files of a million takes seconds: none that could find nothing.
        fetched = planning.Fetches()
        if reading.inventory.fetches:
            fetched = planning.fetches(reading.inventory.files(), bag=job.bag, locations=self._records.locations())
        if refused := fetched.refused() or self._unholdable(job, reading):
            return refused
        if needs := self._missing_versions(job, fetched):
            return needs
        return self._cut(job, store, reading, fetched, pins)

    def _unholdable(self, job: ReplicaJob, reading: BagReading) -> Rejected | None:
        destination, names = self._stores(job.destination.id), self._names(job.destination.id)
        root, version = job.destination.bag_root(job.bag), job.bag.version
        refused = planning.unholdable(
            reading.inventory.files(),
            key=lambda path: f"{root}/{names.stored(f'{version}/{path}')}",
            destination=destination,
        )
        if refused or not planning.too_large_for(reading.inventory.totals().bytes, destination.limits):
            return refused
        return planning.too_large(reading.inventory.files(), limits=destination.limits)

    def _missing_versions(self, job: ReplicaJob, fetched: planning.Fetches) -> Outcome | None:
        """A version with fetch.txt is only worth having where the versions it needs are."""
        for version in fetched.versions:
            match self._records.presence(job.bag, version, job.destination.id):
                case Presence.UNDER_WAY:
                    told = f"waiting for {version}, whose files it needs, to be registered at {job.destination.name}"
                    return Wait(again_in=min(timedelta(seconds=30), self._warming.check_every), why=told)
                case Presence.ABSENT:
                    told = (
                        f"{version}, whose files it needs, is not at {job.destination.name}: backfill {version} first"
                    )
                    return Rejected(code="needs_earlier_version", why=told, for_user=told)
        return None

    def _cut(
        self,
        job: ReplicaJob,
        store: ObjectStore,
        reading: BagReading,
        fetched: planning.Fetches,
        pins: dict[str, str],
    ) -> Done:
        sizes = self._unknown_sizes(job, store, reading, fetched)
        totals = reading.inventory.totals()
        number = totals.files + len(fetched.places)
        names = self._names(job.destination.id)

        def planned() -> Iterator[PlannedFile]:
            return planning.planned(reading.inventory.files(), bag=job.bag, fetched=fetched, sizes=sizes, names=names)

        def segments() -> Iterator[SegmentPlan]:
            with reading:
                for plan in cut(planned(), limits=self._warming.limits):
                    yield replace(plan, readable=planning.needs_no_thaw(plan))

        said = f"{count(number, 'file')}, {size(totals.bytes)}"
        if fetched.places:
            said += f", {len(fetched.places)} of them in {', '.join(map(str, fetched.versions))}"
        writes = (Planned(segments=segments(), files=number, bytes=totals.bytes, pins=pins),)
        mapped = sum(file.stored_as is not None for file in planned()) if names is Names.MAP else 0
        if not mapped:
            return Done(said=said, writes=writes)
        return Done(said=f"{said}, {count(mapped, 'name')} mapped", writes=writes, detail={MAPPED_NAMES: mapped})

    def _unknown_sizes(
        self, job: ReplicaJob, store: ObjectStore, reading: BagReading, fetched: planning.Fetches
    ) -> dict[str, int]:
        """Of fetched files that fetch.txt gives no length for; asked before the ledger's transaction, not inside it."""
        bag_root, sizes = job.source.bag_root(job.bag), dict[str, int]()
        if not fetched.places:
            return sizes
        for file in reading.inventory.files():
            if file.size is None:
                job.hold.checkpoint()
                sizes[file.path] = store.head(key=f"{bag_root}/{fetched.places[file.path].key_path}").size
        return sizes


def _stored(job: ReplicaJob, store: ObjectStore) -> StoredBag:
    return StoredBag(store, root=job.source.root(job.bag), checkpoint=job.hold.checkpoint)
