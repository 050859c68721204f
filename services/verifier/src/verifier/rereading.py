"""The step that reads a copy again: its manifests first, against the register, then every file against them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import structlog

from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.fixity import Algorithm
from common.domain.location import LocationId
from common.domain.naming import Names
from common.domain.replica import EvidenceClass, Verdict
from common.domain.segment import PlannedFile, SegmentLimits
from common.domain.storage_class import Classes
from common.errors import Changed, NotFound, NotRestored, StoreUnavailable
from common.jobs import Attempt, CheckJob
from common.measuring import Measuring
from common.memory import Memory
from common.outcome import Checked, Done, Evidence, Outcome, SeenClasses, Wait
from common.pools import Pools
from common.ports import ObjectStore, Stores
from common.rounds import Rounds
from common.stored_bag import StoredBag
from common.wording import count
from verifier.checks import Check
from verifier.places import Places
from verifier.unreadable import BY_RECORD, Frozen, Record, Unreadable

log = structlog.get_logger()

_POLICY = Policy(allow_fetch=True)
_NAMED = 20
BEGUN = ""
"""The place behind what is missing, before the first file."""


class Records(Record, Protocol):
    """What reading again asks of the ledger."""

    def note(
        self, *, check_id: int, before: str | None, after: str, found: Sequence[Evidence], attempt: Attempt
    ) -> None:
        """Keep evidence and move the check's place, all or nothing. Raises ClaimLost where somebody else did."""
        ...

    def bad(self, check_id: int) -> tuple[int, int, int]:
        """Of the check so far: files looked at, bad ones, and those that were not read."""
        ...

    def weakest(self, check_id: int) -> EvidenceClass:
        """What is shown of all files of the copy by the check so far."""
        ...

    def places(self) -> Places:
        """How URLs of fetch.txt are resolved."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """How much of a bag is read before others have their turn. The next turn reads the manifests once more."""

    bytes: int = 64 << 30
    files: int = 50_000
    longest: timedelta = timedelta(minutes=10)
    slices: SegmentLimits = field(default_factory=SegmentLimits)
    """What is read between two commits."""


class Reread:
    """Reads a copy again, with credentials that cannot write. Never thaws anything: of what is frozen it asks the store
    what it holds.
    """

    def __init__(
        self,
        *,
        stores: Stores,
        records: Records,
        names: Callable[[LocationId], Names],
        concurrency: int,
        pools: Pools = ThreadPoolExecutor,
        memory: Memory | None = None,
        turn: Turn | None = None,
    ) -> None:
        self._stores = stores
        self._records = records
        self._names = names
        self._concurrency = concurrency
        self._pools = pools
        self._memory = memory or Memory()
        self._turn = turn or Turn()
        self._unreadable = Unreadable(records, pools, concurrency)

    def __call__(self, job: CheckJob) -> Outcome:
        names = self._names(job.location.id)
        store = self._stores(job.location.id)
        source = StoredBag(store, root=job.location.root(job.bag), checkpoint=job.hold.checkpoint, names=names)
        try:
            with read_bag(source, policy=_POLICY) as reading:
                outcome = self._read(job, reading, store, names)
            return _with_classes(outcome, job, source.classes)
        except NotRestored as error:
            return self._by_record(job, store, error)
        except (NotFound, Changed) as error:
            raise StoreUnavailable(f"the bag changed while its manifests were read: {error}") from error

    def _read(self, job: CheckJob, reading: BagReading, store: ObjectStore, names: Names) -> Outcome:
        if wrong := _differing(reading, job.registered_pins):
            return self._other_manifests(job, wrong, store, names)
        place = job.progress.get("after")
        if place is None:
            self._note(job, before=None, after=BEGUN, files=self._absent(job, reading), store=store, names=names)
            place = BEGUN
        ended = self._turns(job, reading, place, store, names)
        return self._concluded(job, reading) if ended else Wait(timedelta(0), "others have their turn")

    def _turns(self, job: CheckJob, reading: BagReading, place: str, store: ObjectStore, names: Names) -> bool:
        """Read on from `place`; whether the end was reached."""
        began, read, files = time.monotonic(), 0, 0
        for after, held in self._slices(job, reading, place, store, names):
            if files >= self._turn.files or read >= self._turn.bytes or _since(began) >= self._turn.longest:
                return False
            self._note(job, before=place, after=after, files=held, store=store, names=names)
            place, read, files = after, read + sum(file.size for file in held), files + len(held)
        return True

    def _slices(
        self, job: CheckJob, reading: BagReading, place: str, store: ObjectStore, names: Names
    ) -> Iterator[tuple[str, list[PlannedFile]]]:
        """The files behind `place`, by key, each slice with the key that it ends with."""
        places, limits = self._records.places(), self._turn.slices
        held, held_bytes, last = list[PlannedFile](), 0, place
        begun = place.encode()
        for found in reading.inventory.files():
            if found.key.encode() <= begun:
                continue
            file = places.planned(found, bag=job.bag, location=job.location, store=store, names=names)
            if held and (len(held) >= limits.files or held_bytes + file.size > limits.bytes):
                yield last, held
                held, held_bytes = [], 0
            held.append(file)
            held_bytes, last = held_bytes + file.size, found.key
        if held:
            yield last, held

    def _absent(self, job: CheckJob, reading: BagReading) -> list[PlannedFile]:
        return [_file(job, found.path, found.key, 0, found.checksums) for found in reading.inventory.absent()]

    def _note(
        self,
        job: CheckJob,
        *,
        before: str | None,
        after: str,
        files: Iterable[PlannedFile],
        store: ObjectStore,
        names: Names,
    ) -> list[Evidence]:
        job.hold.checkpoint()
        check = Check(store=store, measuring=Measuring(self._memory, job.hold.checkpoint, self._pools))

        def key(file: PlannedFile) -> str:
            return f"{job.location.bag_root(job.bag)}/{names.stored(file.key_path)}"

        def several(files: Sequence[PlannedFile], at_once: int) -> list[Evidence | Frozen | None]:
            return list(check.files(files, [key(file) for file in files], at_once))

        rounds = Rounds(pools=self._pools, at_once=self._concurrency, name="reread", stores=[store])
        looked = rounds.each(list(files), several=several, one=lambda file: _looked_at(check, file, key=key(file)))
        found = [item for item in looked if isinstance(item, Evidence)]
        found += self._unreadable.files(job, [item for item in looked if isinstance(item, Frozen)], store=store)
        self._records.note(check_id=job.check_id, before=before, after=after, found=found, attempt=job.attempt)
        return found

    def _by_record(self, job: CheckJob, store: ObjectStore, why: NotRestored) -> Outcome:
        """The manifests are frozen too: the files that were once read back are known from the ledger."""
        began, place = time.monotonic(), job.progress.get("after")
        while files := self._unreadable.next_by_record(job, place, most=self._turn.slices.files):
            if _since(began) >= self._turn.longest:
                return Wait(timedelta(0), "others have their turn")
            job.hold.checkpoint()
            found = self._unreadable.files(job, files, store=store)
            after = BY_RECORD + files[-1].key
            self._records.note(check_id=job.check_id, before=place, after=after, found=found, attempt=job.attempt)
            place = after
        looked, bad, _ = self._records.bad(job.check_id)
        if bad:
            return self._bad(job, count(bad, "bad file"))
        shown = _SHOWN[self._records.weakest(job.check_id)]
        return _done(
            Verdict.UNREAD,
            f"its manifests cannot be read: {why}; of {count(looked, 'file')} {shown}",
            said="nothing was read",
        )

    def _other_manifests(self, job: CheckJob, wrong: Mapping[str, int], store: ObjectStore, names: Names) -> Outcome:
        """Without the registered manifests nothing says what the files should be."""
        registered = job.registered_pins
        files = [
            _file(job, path, path, wrong[path], {Algorithm.SHA256: registered[path]})
            for path in wrong
            if path in registered
        ]
        before = job.progress.get("after")
        found = self._note(job, before=before, after=before or BEGUN, files=files, store=store, names=names)
        added = sorted(path for path in wrong if path not in registered)
        bad = [item for item in found if item.outcome != "match"]
        if not bad and not added:
            raise StoreUnavailable(f"two readings of {', '.join(sorted(wrong))} have different bytes")
        told = [f"{item.path}: {item.outcome}, {item.reason}" for item in bad]
        told += [f"{path}: is no file of the registered manifest set" for path in added]
        why = "not the manifests the bag was registered with: " + "; ".join(told)
        return self._bad(job, why)

    def _concluded(self, job: CheckJob, reading: BagReading) -> Outcome:
        looked, bad, unread = self._records.bad(job.check_id)
        too_many = [path for path in reading.inventory.unexpected() if path not in job.registered_pins]
        sizes = [problem.message for problem in reading.problems if problem.code == "bag_oxum_mismatch"]
        if bad or too_many or sizes:
            told = [count(bad, "bad file")] if bad else []
            told += [f"{count(len(too_many), 'object')} too many: {', '.join(too_many[:_NAMED])}"] if too_many else []
            return self._bad(job, "; ".join(told + sizes))
        if unread:
            return _done(
                Verdict.UNREAD,
                f"{count(unread, 'file')} of {looked} are frozen: {_SHOWN[self._records.weakest(job.check_id)]}",
                said=f"{looked - unread} of {count(looked, 'file')} were read",
            )
        return _done(Verdict.GOOD, "", said=f"every byte of {count(looked, 'file')} agreed")

    def _bad(self, job: CheckJob, why: str) -> Outcome:
        log.error("copy is bad", alert="copy_bad", bag=str(job.bag), location=str(job.location.id), why=why)
        return _done(Verdict.BAD, why, said=f"the copy is bad: {why}")


_SHOWN: Mapping[EvidenceClass, str] = {
    EvidenceClass.LISTED: "only names and sizes were looked at",
    EvidenceClass.SIZED: "sizes, ETags and versions are those of when they were read",
    EvidenceClass.PROVIDER_DIGEST: "the provider's own digests agree",
}
"""Of files that are frozen. Where all could be read, nobody asks."""


def _looked_at(check: Check, file: PlannedFile, *, key: str) -> Evidence | Frozen:
    try:
        return check.file(file, key=key)
    except NotRestored:
        return Frozen(file.path, key, file.checksums)


def _differing(reading: BagReading, registered: Mapping[str, str]) -> dict[str, int]:
    """The files of the manifest set that are not the registered ones, with the sizes that they have."""
    pins = reading.pins
    names = sorted(
        path for path in {*pins, *registered} if path not in pins or pins[path].sha256 != registered.get(path)
    )
    return {path: pins[path].size if path in pins else 0 for path in names}


def _file(job: CheckJob, path: str, key: str, bytes: int, checksums: Mapping[Algorithm, str]) -> PlannedFile:
    return PlannedFile(path, f"{job.bag.version}/{key}", bytes, dict(checksums), etag="")


def _with_classes(outcome: Outcome, job: CheckJob, classes: Classes) -> Outcome:
    """The copy was listed to read its manifests: in which storage classes it lies is known from that."""
    if not isinstance(outcome, Done):
        return outcome
    seen = SeenClasses(job.location.id, classes.named(job.location.provider))
    return replace(outcome, writes=(*outcome.writes, seen))


def _done(verdict: Verdict, why: str, *, said: str) -> Done:
    return Done(said=said, writes=(Checked(verdict, why),))


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)
