"""Stores in memory on virtual time, that fail as real ones do and remember what was asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory import MemoryStore
from common.adapters.objects.reading import fetched, filled
from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.retrying import RetryingColdStore, RetryingStore
from common.domain.location import LocationId
from common.domain.naming import Names
from common.errors import StoreUnavailable, Throttled, TruncatedBody
from common.ports import Body, ColdStore, Limits, ObjectInfo, ObjectStore, PartReceipt, PendingUpload, Upload
from simulation.cold import FailingColdStore
from simulation.decisions import Fault
from simulation.places import Place, flipped
from simulation.world import Process


class FailingStore(ForwardingStore):
    """ObjectStore of one process at one place."""

    def __init__(self, place: Place, process: Process) -> None:
        super().__init__(MemoryStore(place.bucket))
        self._place = place
        self._process = process

    @property
    def limits(self) -> Limits:
        return self._place.limits

    @property
    def takes_several(self) -> bool:
        """As the stores of real providers; a second attempt takes files one by one."""
        return True

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
        self._place.looked(self._process)
        yield from self.store.list(prefix=prefix, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        fault = self._ask("head", "stale_answer")
        self._place.looked(self._process)
        info = self.store.head(key=key)
        first = self._place.described.setdefault(key, info)
        return first if fault else info

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
        fault = self._ask("read", "truncated", "flip_on_read", "wrong_range", "stale_answer")
        opened = self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)
        with opened as body:
            self._place.note("read", key, self._process, size=body.info.size)
            yield _FailingBody(body, self._place, fault)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        return fetched(self.read(key=key, if_match=if_match, version_id=version_id), into)

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        body = self.read(key=key, first=first, length=len(into), if_match=if_match, version_id=version_id)
        return filled(body, into)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        self._ask("list uploads")
        return self.store.pending_uploads(prefix=prefix)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        fault = self._ask("create", "store_keeps_silent", "flip_on_write", "kill_after")
        stored = flipped(data, fault)
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

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        fault = self._store._ask("put part", "store_keeps_silent", "flip_on_write", "kill_after")
        receipt = self.upload.put_part(number, flipped(data, fault), mark=mark)
        self._place.marks[self.id, number] = mark
        self._store._answer(fault)
        return receipt

    def parts(self) -> list[PartReceipt]:
        self._store._ask("list parts")
        if self._place.tells_md5:
            return self.upload.parts()
        marks = self._place.marks
        return [replace(part, md5="", mark=marks.get((self.id, part.number), "")) for part in self.upload.parts()]

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
    place: Place
    fault: Fault | None

    @property
    def info(self) -> ObjectInfo:
        return self.body.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        kind = self.fault.kind if self.fault else ""
        for block in self.body:
            before, self.place.answered = self.place.answered, bytes(block)
            if kind == "truncated":
                yield block[: len(block) // 2]
                raise TruncatedBody("simulated: the body ended early")
            if kind == "stale_answer":
                # Of the right length, or the adapters would have noticed.
                yield (before * len(block))[: len(block)] if before else block
            elif kind == "wrong_range":
                yield bytes(block[1:]) + bytes(block[:1])
            else:
                yield flipped(block, self.fault, kind="flip_on_read")


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
