"""The step for IMPORTING: walks a location, or a part of it, and registers the bags that lie there."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

import structlog

from bag_register.adoption import Adopter, Place, Verdict, against_register
from bag_register.file_lists import Counted, FileLists
from bag_register.inventories import Inventory, InventoryFault
from bag_register.ranges import cut_of
from bag_register.records import Looked, Parts, Records
from bag_register.sources import Source
from bag_register.taking_over import manifests_in
from bag_register.walking import Found, walk
from common.domain.location import Location
from common.jobs import ImportJob, Job
from common.ledger.adopting import Entry
from common.ledger.importing import Adoption, ImportProblem
from common.outcome import Done, Outcome, Rejected, Wait
from common.ports import Stores
from common.wording import count, size

log = structlog.get_logger()

MOST_FREEZES = 10
"""How often a bag's tag files may be frozen again between thaw and reading: more than a few has a cause."""
_LOOK_AGAIN = timedelta(seconds=5)
_LOOK_AFTER_THAW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is done at once."""

    bags: int = 16
    """Bags that one part reads at once."""
    batch: int = 64
    """Bags that are registered in one transaction."""
    longest: float = 5
    """Seconds after which what was looked at is registered, however little it is."""
    share_every: float = 2
    """Seconds between two looks whether somebody could help."""
    parts: int = 8
    """Ranges of one import that are walked at once, by whoever is free."""


class Import:
    """Goes on where an earlier attempt stopped: the import's place moves with the bags, in their transaction."""

    def __init__(self, *, stores: Stores, records: Records, lists: FileLists, pace: Pace | None = None) -> None:
        self._stores = stores
        self._records = records
        self._lists = lists
        self._pace = pace or Pace()

    def __call__(self, job: Job) -> Outcome:
        assert isinstance(job, ImportJob)
        walker = _Walker(job, self._stores, self._records, self._lists, self._pace)
        if not job.progress.get("walked"):
            try:
                walker.run()
            except InventoryFault as fault:
                return Rejected(code="inventory_not_understood", why=str(fault), for_user=str(fault))
            job.hold.remember(walked=True)
        said = f"{count(walker.number, 'bag')} looked at"
        if job.scope.root_id != job.import_id:
            return Done(said=said)
        return _others(self._records.parts(job.import_id)) or Done(said=said)


def _others(parts: Parts) -> Outcome | None:
    """An import has ended when all its parts have."""
    if parts.walking or parts.thawing:
        again = _LOOK_AGAIN if parts.walking else _LOOK_AFTER_THAW
        told = f"{count(parts.walking, 'part')} of the import walked, {parts.thawing} waiting for tag files to thaw"
        return Wait(again_in=again, why=told)
    if parts.failed:
        told = f"{count(parts.failed, 'part')} of the import failed: the dead letters say why. Import again."
        return Rejected(code="import_part_failed", why=told, for_user=told)
    return None


class _Walker:
    """One attempt at one row."""

    def __init__(self, job: ImportJob, stores: Stores, records: Records, lists: FileLists, pace: Pace) -> None:
        self.number = 0
        self._job, self._records, self._pace, self._stores = job, records, pace, stores
        scope, store = job.scope, stores(job.location.id)
        self._source = Source.of(scope)
        thaws = scope.registers and scope.freezes < MOST_FREEZES and stores.cold(job.location.id) is not None
        self._at = Place(
            store=store,
            listing=store,
            location=job.location,
            known=records.locations(),
            checkpoint=job.hold.checkpoint,
            thaws=thaws and not self._source.manifests,
            copies=self._source.copies,
        )
        keeper = lists if scope.registers else Counted()
        self._adopter = Adopter(keeper)
        self._successor = self._source.successor(self._at, stores, keeper, records)
        self._until = scope.until
        # What is done in a moment is not worth cutting.
        self._share_at = time.monotonic() + pace.share_every

    def run(self) -> None:
        """Look at every bag of the row, several at once, and register them in their order."""
        with self._source.listing(self._at, self._stores) as listing:
            self._at = replace(self._at, listing=listing)
            if isinstance(listing, Inventory):
                self._at = replace(self._at, tells_classes=listing.tells_classes, listed_at=listing.made_at)
            self._run()

    def _run(self) -> None:
        pool = ThreadPoolExecutor(max_workers=self._pace.bags, thread_name_prefix="import")
        try:
            for looked in _batches(self._looked(pool), most=self._pace.batch, longest=self._pace.longest):
                self._settle(looked)
        finally:
            pool.shutdown(cancel_futures=True)

    def _looked(self, pool: ThreadPoolExecutor) -> Iterator[Looked]:
        """In the order of the walk; a window of bags is being read meanwhile."""
        reading: deque[tuple[Found, Future[Verdict]]] = deque()
        for some in _chunks(self._found(), self._pace.bags):
            entries = self._records.entries([found.bag for found in some if found.bag])
            reading.extend((found, pool.submit(self._verdict, found, entries)) for found in some)
            self._share(some[-1].end)
            while len(reading) > 2 * self._pace.bags:
                yield self._done(*reading.popleft())
        while reading:
            yield self._done(*reading.popleft())

    def _found(self) -> Iterator[Found]:
        after = self._job.progress.get("after")
        if self._job.scope.paths:
            yield from _named(self._job.scope.paths, after=after, location=self._job.location)
            return
        if manifests := self._source.manifests:
            store = self._stores(manifests.location)
            yield from manifests_in(store, prefix=manifests.key, after=after)
            return
        yield from walk(
            self._at.listing,
            location=self._job.location,
            prefix=self._job.prefix,
            after=after,
            until=lambda: self._until,
            checkpoint=self._job.hold.checkpoint,
        )

    def _share(self, after: str) -> None:
        """Leave the second half of what is left to a worker that has nothing to do."""
        if self._job.scope.paths or self._source.given or time.monotonic() < self._share_at:
            return
        self._share_at = time.monotonic() + self._pace.share_every
        if self._records.parts(self._job.scope.root_id).walking + 1 >= self._pace.parts:
            return
        cut = cut_of(
            self._at.listing, location=self._job.location, prefix=self._job.prefix, after=after, until=self._until
        )
        if cut and self._records.split(import_id=self._job.import_id, at=cut, most=self._pace.parts):
            self._until = cut

    def _verdict(self, found: Found, entries: Any) -> Verdict:
        if self._successor and not self._job.scope.paths:
            return self._successor.verdict(found)
        if found.bag is None:
            severity = "warning" if found.stray else "error"
            problem = ImportProblem(found.path, found.code, severity, found.fault)
            return Verdict(None if found.stray else Adoption.REFUSED, (problem,))
        return self._adopter.adopt(found, at=self._at, entry=entries.get(found.bag))

    def _done(self, found: Found, verdict: Future[Verdict]) -> Looked:
        result = verdict.result()
        return Looked(found, result, frozen=result.adoption is None and not found.stray)

    def _settle(self, looked: list[Looked]) -> None:
        # A worker that lost its claim while it read stops here; one that loses it later does no harm.
        self._job.hold.checkpoint()
        scope = self._job.scope
        became = self._records.settle(
            import_id=self._job.import_id,
            root_id=scope.root_id,
            looked=looked if scope.registers else [_only_told(one) for one in looked],
            registers=scope.registers,
            times=scope.freezes + 1,
            if_taken=self._taken,
        )
        self.number += len(became)
        outcomes = Counter(became.values())
        log.info("bags looked at", import_id=self._job.import_id, upto=looked[-1].found.path, **outcomes)

    def _taken(self, verdict: Verdict, entry: Entry) -> Verdict:
        assert verdict.new is not None
        return against_register(verdict.new.bag, pins=verdict.new.pins, entry=entry, location=self._job.location)


def _only_told(one: Looked) -> Looked:
    """For those who only look: what would be registered is told like what is odd."""
    new = one.verdict.new
    if new is None:
        return one
    told = f"{count(new.file_count, 'file')}, {size(new.bytes)}, evidence {new.evidence_class.value}"
    would = ImportProblem(one.found.path, "would_register", "info", told)
    return Looked(one.found, Verdict(one.verdict.adoption, (would, *one.verdict.problems)))


def _named(paths: Iterable[str], *, after: str | None, location: Location) -> Iterator[Found]:
    for path in sorted(paths, key=str.encode):
        if after is None or path.encode() > after.encode():
            yield Found(path=path, end=path, bag=location.layout.bag_at(path))


def _chunks(found: Iterator[Found], most: int) -> Iterator[list[Found]]:
    while some := list(islice(found, most)):
        yield some


def _batches(
    looked: Iterator[Looked], *, most: int, longest: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[Looked]]:
    batch: list[Looked] = []
    began = clock()
    for one in looked:
        batch.append(one)
        if len(batch) >= most or clock() - began > longest:
            yield batch
            batch, began = [], clock()
    if batch:
        yield batch
