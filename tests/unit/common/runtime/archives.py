"""Two stores in memory with a clock, jobs for the steps, and stores that count, flip, fail and stop on purpose."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from common.adapters.objects.memory import MemoryBucket, MemoryColdStore, MemoryStore
from common.adapters.objects.one_by_one import OneByOne
from common.adapters.objects.reading import fetched, filled
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm, MultiHasher
from common.domain.location import Location, LocationId, Provider
from common.domain.segment import PlannedFile
from common.jobs import Attempt, Interrupted, ReplicaJob, SegmentJob
from common.ports import Body, Limits, ObjectInfo, ObjectStore, PartReceipt, Restore, Tier, Upload

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
COLD = Location(LocationId("cold"), Provider.MEMORY, "cold", title="Cold")
AZURE = Location(LocationId("azure"), Provider.MEMORY, "azure", title="Azure")
BAG = BagVersion.of("digitised", "b1", 1)
INGEST = UUID(int=7)
MIB = 1 << 20


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class Hold:
    """A hand on a row that remembers in memory, and may be told to stop after so many checkpoints."""

    def __init__(self, *, progress: Mapping[str, Any] | None = None, stop_after: int | None = None) -> None:
        self.progress = dict(progress or {})
        self.checkpoints = 0
        self._stop_after = stop_after

    def checkpoint(self) -> None:
        self.checkpoints += 1
        if self._stop_after is not None and self.checkpoints > self._stop_after:
            raise Interrupted

    def remember(self, **notes: Any) -> None:
        self.progress |= notes


@dataclass
class Watched(OneByOne):
    """An ObjectStore that counts what passes, and lets a test spoil it."""

    inner: ObjectStore
    read_bytes: int = 0
    listed: list[int] = field(default_factory=list)
    """Objects taken from each listing."""
    calls: Counter[str] = field(default_factory=Counter)
    parts: list[int] = field(default_factory=list)
    """Numbers of the parts that were sent."""
    takes_several: bool = True
    """As the stores of real providers do."""
    before: Callable[[str, str], None] = lambda operation, key: None
    """Called with the operation and key; raises what the store shall raise."""
    spoil: Callable[[str, bytes], bytes] = lambda key, block: block
    """Changes the bytes that are read."""
    tells: str = "MD5s"
    """Of an upload's parts: "MD5s", "marks" or "nothing"."""
    marks: dict[tuple[str, int], str] = field(default_factory=dict)
    """Upload and number → what the part was sent with."""
    hidden: set[str] = field(default_factory=set)
    """Keys that the next listing leaves out."""
    own_limits: Limits | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def limits(self) -> Limits:
        return self.own_limits or self.inner.limits

    def _called(self, operation: str, key: str) -> None:
        with self.lock:
            self.calls[operation] += 1
        self.before(operation, key)

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        self._called("list", prefix)
        hidden, self.hidden = self.hidden, set()
        place = len(self.listed)
        self.listed.append(0)
        for info in self.inner.list(prefix=prefix, start_after=start_after):
            if info.key not in hidden:
                self.listed[place] += 1
                yield info

    def head(self, *, key: str) -> ObjectInfo:
        self._called("head", key)
        return self.inner.head(key=key)

    @contextmanager
    def read(self, *, key: str, **options: Any) -> Iterator[Body]:
        self._called("read", key)
        with self.inner.read(key=key, **options) as body:
            yield _WatchedBody(self, key, body)

    def fetch(self, *, key: str, into: memoryview, **options: Any) -> ObjectInfo | None:
        return fetched(self.read(key=key, **options), into)

    def read_into(self, *, key: str, into: memoryview, first: int = 0, **options: Any) -> ObjectInfo:
        return filled(self.read(key=key, first=first, length=len(into), **options), into)

    def create(self, *, key: str, data: bytes | memoryview, **facts: Any) -> ObjectInfo:
        self._called("create", key)
        return self.inner.create(key=key, data=data, **facts)

    def begin_upload(self, *, key: str, **facts: Any) -> Upload:
        self._called("begin_upload", key)
        return _WatchedUpload(self, key, self.inner.begin_upload(key=key, **facts))

    def resume_upload(self, *, key: str, upload_id: str, **facts: Any) -> Upload:
        self._called("resume_upload", key)
        return _WatchedUpload(self, key, self.inner.resume_upload(key=key, upload_id=upload_id, **facts))

    def pending_uploads(self, *, prefix: str) -> Iterator[Any]:
        return self.inner.pending_uploads(prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        return "a colon" if ":" in key else self.inner.name_fault(key)


@dataclass
class _WatchedBody:
    store: Watched
    key: str
    inner: Body

    @property
    def info(self) -> ObjectInfo:
        return self.inner.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for block in self.inner:
            with self.store.lock:
                self.store.read_bytes += len(block)
            yield self.store.spoil(self.key, bytes(block))


@dataclass
class _WatchedUpload:
    store: Watched
    key: str
    inner: Upload

    @property
    def id(self) -> str:
        return self.inner.id

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        self.store._called("put_part", f"{self.key}#{number}")
        receipt = self.inner.put_part(number, data, mark=mark)
        with self.store.lock:
            self.store.parts.append(number)
            self.store.marks[self.inner.id, number] = mark
        return receipt

    def parts(self) -> list[PartReceipt]:
        if self.store.tells == "MD5s":
            return self.inner.parts()
        marks = self.store.marks if self.store.tells == "marks" else {}
        return [replace(part, md5="", mark=marks.get((self.inner.id, part.number), "")) for part in self.inner.parts()]

    def commit(self, parts: Any, **facts: Any) -> ObjectInfo:
        self.store._called("commit", self.key)
        return self.inner.commit(parts, **facts)

    def abort(self) -> None:
        self.inner.abort()


@dataclass
class WatchedCold:
    """A ColdStore that keeps what it was asked and may refuse."""

    inner: MemoryColdStore
    asked: list[tuple[str, int | None, Tier]] = field(default_factory=list)
    before: Callable[[str, Tier], Restore | None] = lambda key, tier: None
    """Raises what the store shall raise, or answers in its place."""

    def now(self) -> datetime:
        return self.inner.bucket.clock()

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        self.asked.append((key, days, tier))
        answer = self.before(key, tier)
        return answer or self.inner.restore(key=key, version_id=version_id, days=days, tier=tier)

    @property
    def keys(self) -> list[str]:
        return sorted(key for key, _, _ in self.asked)


class Archive:
    """Stores of a service: "cold" with archive classes, and "azure"."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.buckets = {
            COLD.id: MemoryBucket(clock=self.clock),
            AZURE.id: MemoryBucket(clock=self.clock),
        }
        self.source = Watched(MemoryStore(self.buckets[COLD.id]))
        self.destination = Watched(MemoryStore(self.buckets[AZURE.id]))
        self.thawing = WatchedCold(MemoryColdStore(self.buckets[COLD.id]))

    def __call__(self, location: LocationId) -> ObjectStore:
        return {COLD.id: self.source, AZURE.id: self.destination}[location]

    def cold(self, location: LocationId) -> WatchedCold | None:
        return self.thawing if location == COLD.id else None

    def put(
        self,
        path: str,
        data: bytes,
        *,
        at: Location = COLD,
        bag: BagVersion = BAG,
        storage_class: str | None = None,
        archive_status: str | None = None,
    ) -> ObjectInfo:
        """Store a file of a bag version, as somebody else did long ago, or does behind our back."""
        info = ObjectInfo(
            key=at.root(bag) + path, size=0, etag="", storage_class=storage_class, archive_status=archive_status
        )
        return self.buckets[at.id].put(info, data)

    def put_bag(self, files: Mapping[str, bytes], *, bag: BagVersion = BAG, **classes: str | None) -> None:
        for path, data in files.items():
            self.put(path, data, bag=bag, **classes)

    def at(self, location: Location) -> dict[str, bytes]:
        """Every object of a location, newest versions."""
        return {key: versions[-1].data for key, versions in sorted(self.buckets[location.id].objects.items())}


def replica_job(hold: Hold | None = None, *, bag: BagVersion = BAG, **facts: Any) -> ReplicaJob:
    hold = hold or Hold()
    return ReplicaJob(
        replica_id=1,
        ingest_id=INGEST,
        bag=bag,
        source=COLD,
        destination=AZURE,
        attempt=Attempt(1, "w", "b"),
        hold=hold,
        progress=dict(hold.progress),
        **({"registered_pins": {}} | facts),
    )


def segment_job(
    files: list[PlannedFile], hold: Hold | None = None, *, attempt: int = 1, bag: BagVersion = BAG, **facts: Any
) -> SegmentJob:
    hold = hold or Hold()
    return SegmentJob(
        segment_id=1,
        number=1,
        ingest_id=INGEST,
        bag=bag,
        source=COLD,
        destination=AZURE,
        files=files,
        attempt=Attempt(attempt, "w", "b"),
        hold=hold,
        progress=dict(hold.progress),
        **facts,
    )


def planned(
    path: str, data: bytes, info: ObjectInfo, *, bag: BagVersion = BAG, pin_version: bool = False
) -> PlannedFile:
    """The file as a plan pins it."""
    hasher = MultiHasher([Algorithm.SHA256])
    hasher.update(data)
    return PlannedFile(
        path=path,
        key_path=f"{bag.version}/{path}",
        size=len(data),
        checksums=hasher.digests(),
        etag=info.etag,
        version_id=info.version_id if pin_version else None,
        storage_class=info.storage_class,
    )


def some_files(archive: Archive, files: Mapping[str, bytes], **classes: str | None) -> list[PlannedFile]:
    """Files at the source with their plans, in the order of their keys."""
    return [planned(path, data, archive.put(path, data, **classes)) for path, data in sorted(files.items())]


def as_fetched(file: PlannedFile, version: int = 1) -> PlannedFile:
    return replace(file, key_path=f"v{version}/{file.path}", fetched=True)
