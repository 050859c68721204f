"""The two steps: plan a replica from the bag's own manifests, and thaw a segment of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bag_warmer import planning
from bag_warmer.presence import Presence, Records
from bag_warmer.thaw import Thaw, Wish, noted, thaw
from bag_warmer.warmth import longest
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.location import LocationId
from common.domain.naming import MAPPED_NAMES, Names
from common.domain.segment import PlannedFile, SegmentLimits, SegmentPlan, cut
from common.errors import NotFound, NotRestored
from common.jobs import ReplicaJob, SegmentJob
from common.outcome import Done, Outcome, Planned, Rejected, Wait
from common.pools import Pools
from common.ports import ObjectInfo, ObjectStore, Stores, Tier
from common.stored_bag import StoredBag
from common.wording import count, size

MOST_FREEZES = 10
"""How often a tag file may freeze between being found readable and being read: more than a few has a cause."""


@dataclass(frozen=True, slots=True)
class Warming:
    """How this archive thaws and cuts."""

    wish: Wish = field(default_factory=Wish)
    check_every: timedelta = timedelta(minutes=15)
    """How long to leave frozen objects alone before looking again."""
    limits: SegmentLimits = field(default_factory=SegmentLimits)
    policy: Policy = field(default_factory=lambda: Policy(allow_fetch=True))

    def wish_of(self, options: Mapping[str, Any]) -> Wish:
        """The archive's wish, with what the ingest asked for in its place."""
        tier = Tier(options["tier"]) if options.get("tier") else self.wish.tier
        return replace(self.wish, tier=tier, days=int(options.get("restoredDays") or self.wish.days))


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
        pools: Pools = ThreadPoolExecutor,
    ) -> None:
        self._stores = stores
        self._pools = pools
        self._records = records
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
        try:
            reading = read_bag(_stored(job, store), policy=self._warming.policy)
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

    def _tag_files_frozen(self, job: ReplicaJob, store: ObjectStore) -> Outcome | None:
        tags = _stored(job, store).tag_files()
        if not tags:
            told = f"there is nothing at {job.source.name} under {job.source.root(job.bag)}"
            return Rejected(code="source_vanished", why=told, for_user=told)
        wish = self._warming.wish_of(job.options)
        found = thaw(
            tags,
            store=store,
            cold=self._stores.cold(job.source.id),
            wish=wish,
            asked=job.progress.get("asked", {}),
            checkpoint=job.hold.checkpoint,
            pools=self._pools,
        )
        job.hold.remember(**noted(job.progress, found, wish))
        return None if found.ready else waiting(found, wish, what="tag file", check_every=self._warming.check_every)

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
        fetched = planning.fetches(reading.inventory.files(), bag=job.bag, locations=self._records.locations())
        if refused := fetched.refused() or self._unholdable(job, reading):
            return refused
        if needs := self._missing_versions(job, fetched):
            return needs
        return self._cut(job, store, reading, fetched, pins)

    def _unholdable(self, job: ReplicaJob, reading: BagReading) -> Rejected | None:
        destination, names = self._stores(job.destination.id), self._names(job.destination.id)
        root, version = job.destination.bag_root(job.bag), job.bag.version
        return planning.unholdable(
            reading.inventory.files(),
            key=lambda path: f"{root}/{names.stored(f'{version}/{path}')}",
            destination=destination,
        ) or planning.too_large(reading.inventory.files(), limits=destination.limits)

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
                yield from cut(planned(), limits=self._warming.limits)

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
        for file in reading.inventory.files():
            if file.size is None:
                job.hold.checkpoint()
                sizes[file.path] = store.head(key=f"{bag_root}/{fetched.places[file.path].key_path}").size
        return sizes


def _stored(job: ReplicaJob, store: ObjectStore) -> StoredBag:
    return StoredBag(store, root=job.source.root(job.bag), checkpoint=job.hold.checkpoint)


class ThawSegment:
    """Asks for what is frozen of a segment, and releases the segment when all of it can be read."""

    def __init__(self, *, stores: Stores, warming: Warming, pools: Pools = ThreadPoolExecutor) -> None:
        self._stores = stores
        self._pools = pools
        self._warming = warming

    def __call__(self, job: SegmentJob) -> Outcome:
        store = self._stores(job.source.id)
        wanted = {job.source_key(file): file for file in job.files if not file.fetched}

        def listed() -> dict[str, ObjectInfo]:
            return _listed(store, wanted, root=job.source.root(job.bag), checkpoint=job.hold.checkpoint)

        infos = listed()
        # Once more before objects are called others: listings lag, and may come with a wrong byte.
        if _other_objects(wanted, infos) and (refused := _other_objects(wanted, infos := listed())):
            return refused
        wish = self._warming.wish_of(job.options)
        found = thaw(
            infos.values(),
            store=store,
            cold=self._stores.cold(job.source.id),
            wish=wish,
            asked=job.progress.get("asked", {}),
            checkpoint=job.hold.checkpoint,
            pools=self._pools,
        )
        if found.accepted or not found.ready:
            job.hold.remember(**noted(job.progress, found, wish))
        if found.ready:
            return Done(said=f"{count(found.objects, 'object')} can be read")
        return waiting(found, wish, what="object", check_every=self._warming.check_every)


def waiting(found: Thaw, wish: Wish, *, what: str, check_every: timedelta) -> Wait:
    """Leave frozen objects alone for a while; a throttled round goes on soon."""
    again = min(check_every, timedelta(seconds=10)) if found.throttled else check_every
    promised = max(longest(name, wish.tier) for name in found.classes)
    hours = promised.total_seconds() / 3600
    within = f"{hours:.0f} hours" if hours >= 1 else "minutes"
    why = f"waiting for {count(len(found.warming), what)} to thaw ({wish.tier}, within {within})"
    return Wait(again_in=again, why=why, promised=promised)


def _listed(
    store: ObjectStore, wanted: Mapping[str, PlannedFile], *, root: str, checkpoint: Any
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
