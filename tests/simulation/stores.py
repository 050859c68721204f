"""Stores in memory on virtual time, that fail as real ones do and remember what was asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory import MemoryBucket, MemoryColdStore, MemoryStore
from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.retrying import RetryingColdStore, RetryingStore
from common.domain.location import Location, LocationId
from common.domain.naming import Names
from common.errors import AccessDenied, StoreUnavailable, Throttled, TruncatedBody
from common.ports import Body, ColdStore, Limits, ObjectInfo, ObjectStore, PartReceipt, Restore, Tier, Upload
from common.topology import COPYING
from invariants import Request
from simulation.decisions import Fault
from simulation.world import Process, World

_RESTORING = (
    *("restore_slow", "restore_stuck", "restore_short", "restore_refused"),
    *("store_keeps_silent", "kill_after"),
)
_EXCUSES = ("pause", "kill", "kill_after", "store_keeps_silent", "ledger_loses", "ledger_refuses")
"""After one of these a restore may be asked for twice."""


@dataclass(eq=False)
class Place:
    """One location: its bucket, what was asked of it, and whether it can be reached. The checker's view of it, too."""

    location: Location
    world: World
    bucket: MemoryBucket
    limits: Limits
    requests: list[Request] = field(default_factory=list)
    down_until: float = -1.0
    denied_until: float = -1.0
    denied_to: str = ""
    fences: list[tuple[str, str, int, object]] = field(default_factory=list)
    """(what, key, fence, row) of reads and creations by claim."""
    _restores: dict[str, int] = field(default_factory=dict)

    def keys(self, prefix: str) -> Iterable[str]:
        return [key for key in self.bucket.objects if key.startswith(prefix)]

    def read(self, key: str) -> bytes:
        return self.bucket.objects[key][-1].data

    def etag(self, key: str) -> str:
        return self.bucket.objects[key][-1].info.etag

    def history(self) -> Sequence[Request]:
        return self.requests

    def note(self, what: str, key: str, process: Process, *, size: int = 0, needless: bool = False) -> None:
        self.requests.append(Request(len(self.requests), what, key, process.name, size, needless))
        self.world.say(f"{what} {self.location.id}/{key}")
        if process.claim is not None and process.claim.stage is COPYING:
            self.fences.append((what, key, process.claim.fence, process.claim.row_id))

    def made(self, key: str, process: Process, *, size: int) -> None:
        self.note("create" if len(self.bucket.objects[key]) == 1 else "replace", key, process, size=size)

    def refuse_where_due(self, process: Process) -> None:
        if self.world.now < self.down_until:
            raise StoreUnavailable("simulated: the store is down")
        if self.world.now < self.denied_until and process.name.startswith(self.denied_to):
            raise AccessDenied(f"simulated: the credentials of {process.name} for {self.location.id} have expired")

    def needless(self, key: str) -> bool:
        """Whether the restore that is asked for now is on its way already, and the asker could have known."""
        injected = self.world.decisions.injected
        since = self._restores.get(key)
        self._restores[key] = self.world.decisions.asked
        version = self.bucket.find(key)
        info = self.bucket.described(version)
        ongoing = info.restore is not None and info.restore.ongoing
        excused = any(number >= (since or 0) and fault.kind in _EXCUSES for number, (_, fault) in injected.items())
        return ongoing and not excused


class FailingStore(ForwardingStore):
    """ObjectStore of one process at one place."""

    def __init__(self, place: Place, process: Process) -> None:
        super().__init__(MemoryStore(place.bucket))
        self._place = place
        self._process = process

    @property
    def limits(self) -> Limits:
        return self._place.limits

    def _ask(self, what: str, *kinds: str) -> Fault | None:
        """Time passes; raises where the request does not get through."""
        fault = self._process.point(what, "store_refuses", "store_throttles", *kinds)
        self._place.refuse_where_due(self._process)
        if fault and fault.kind == "store_refuses":
            raise StoreUnavailable("simulated: the request did not arrive")
        if fault and fault.kind == "store_throttles":
            raise Throttled("simulated: slow down", retry_after=10 * fault.value)
        return fault

    def _answer(self, fault: Fault | None) -> None:
        """The request was carried out; its answer may be lost, or nobody be left to hear it."""
        if fault and fault.kind == "store_keeps_silent":
            raise StoreUnavailable("simulated: the answer was lost")
        if fault and fault.kind == "kill_after":
            self._process.die()

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        self._ask("list")
        yield from self.store.list(prefix=prefix, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        self._ask("head")
        return self.store.head(key=key)

    @contextmanager
    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> Iterator[Body]:
        fault = self._ask("read", "truncated", "flip_on_read")
        opened = self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)
        with opened as body:
            self._place.note("read", key, self._process, size=body.info.size)
            yield _FailingBody(body, fault)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        fault = self._ask("create", "store_keeps_silent", "flip_on_write", "kill_after")
        stored = _flipped(data, fault)
        info = self.store.create(key=key, data=stored, content_type=content_type, metadata=metadata)
        self._place.made(key, self._process, size=len(data))
        self._answer(fault)
        return info

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        fault = self._ask("begin upload", "store_keeps_silent", "kill_after")
        upload = self.store.begin_upload(key=key, content_type=content_type, metadata=metadata)
        self._answer(fault)
        return _FailingUpload(upload, key, self, self._place, self._process)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        upload = self.store.resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)
        return _FailingUpload(upload, key, self, self._place, self._process)


class _FailingUpload(ForwardingUpload):
    def __init__(self, upload: Upload, key: str, store: FailingStore, place: Place, process: Process) -> None:
        super().__init__(upload)
        self._key = key
        self._store = store
        self._place = place
        self._process = process

    def put_part(self, number: int, data: bytes | memoryview) -> PartReceipt:
        fault = self._store._ask("put part", "store_keeps_silent", "flip_on_write", "kill_after")
        receipt = self.upload.put_part(number, _flipped(data, fault))
        self._store._answer(fault)
        return receipt

    def parts(self) -> list[PartReceipt]:
        self._store._ask("list parts")
        return self.upload.parts()

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        fault = self._store._ask("commit upload", "store_keeps_silent", "kill_after")
        info = self.upload.commit(parts, content_md5=content_md5)
        self._place.made(self._key, self._process, size=info.size)
        self._store._answer(fault)
        return info

    def abort(self) -> None:
        self._store._ask("abort upload")
        self.upload.abort()


@dataclass(frozen=True, slots=True)
class _FailingBody:
    body: Body
    fault: Fault | None

    @property
    def info(self) -> ObjectInfo:
        return self.body.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for block in self.body:
            if self.fault and self.fault.kind == "truncated":
                yield block[: len(block) // 2]
                raise TruncatedBody("simulated: the body ended early")
            yield _flipped(block, self.fault, kind="flip_on_read")


def _flipped(data: bytes | memoryview, fault: Fault | None, *, kind: str = "flip_on_write") -> bytes | memoryview:
    if fault is None or fault.kind != kind or not len(data):
        return data
    harmed = bytearray(data)
    bit = int(fault.value * len(harmed) * 8)
    harmed[bit // 8] ^= 1 << bit % 8
    return bytes(harmed)


class FailingColdStore:
    """ColdStore of one process: restores may be slow, stuck, short or refused."""

    def __init__(self, place: Place, process: Process, *, unstuck: Callable[[object], None]) -> None:
        self._inner = MemoryColdStore(place.bucket)
        self._place = place
        self._process = process
        self._unstuck = unstuck

    def now(self) -> datetime:
        return self._inner.now()

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        kinds = (
            "restore_slow",
            "restore_stuck",
            "restore_short",
            "restore_refused",
            "store_keeps_silent",
            "kill_after",
        )
        fault = self._process.point("restore", *kinds)
        self._place.refuse_where_due(self._process)
        if fault and fault.kind == "restore_refused":
            raise Throttled("simulated: no more restores now")
        needless = self._place.needless(key)
        answer = self._inner.restore(key=key, version_id=version_id, days=days, tier=tier)
        self._place.note("restore", key, self._process, needless=needless)
        if answer is Restore.ACCEPTED and fault:
            self._change(key, version_id, fault)
        if fault and fault.kind == "store_keeps_silent":
            raise StoreUnavailable("simulated: the answer was lost")
        if fault and fault.kind == "kill_after":
            self._process.die()
        return answer

    def _change(self, key: str, version_id: str | None, fault: Fault) -> None:
        thaw = self._place.bucket.find(key, version_id).thaw
        if thaw is None:
            return
        lasts = None if thaw.expires_at is None else thaw.expires_at - thaw.done_at
        if fault.kind == "restore_slow":
            thaw.done_at += timedelta(hours=24 * fault.value)
        elif fault.kind == "restore_stuck":
            thaw.done_at += timedelta(days=1000)
            self._unstuck(thaw)
        elif fault.kind == "restore_short" and lasts:
            lasts = timedelta(minutes=1 + 600 * fault.value)
        if lasts is not None:
            thaw.expires_at = thaw.done_at + lasts


class SimulatedStores:
    """The stores of one process, wrapped as `common.adapters.objects.registry` wraps them."""

    def __init__(
        self, places: dict[LocationId, Place], process: Process, *, cold: LocationId, unstuck: Callable[[object], None]
    ) -> None:
        world = process.world
        self.configs: dict[LocationId, LocationConfig] = {}
        """No location has wishes of its own."""
        patience = Patience(clock=lambda: world.now, sleep=world.sleep, random=world.random)
        self._stores: dict[LocationId, ObjectStore] = {
            name: RetryingStore(FailingStore(place, process), patience=patience) for name, place in places.items()
        }
        self._cold_at = cold
        self._cold = RetryingColdStore(FailingColdStore(places[cold], process, unstuck=unstuck), patience=patience)

    def __call__(self, location: LocationId) -> ObjectStore:
        return self._stores[location]

    def cold(self, location: LocationId) -> ColdStore | None:
        return self._cold if location == self._cold_at else None

    def names(self, location: LocationId) -> Names:
        return Names.REFUSE


def rewrite(place: Place, key: str, data: bytes) -> None:
    """What people and rot do: the same version with other bytes keeps its ETag (`rot`), a new one has another."""
    old = place.bucket.objects[key][-1]
    place.bucket.put(replace(old.info, restore=None), data)


def rot(place: Place, key: str, value: float) -> None:
    version = place.bucket.objects[key][-1]
    version.data = bytes(_flipped(version.data, Fault("rot", value), kind="rot"))
