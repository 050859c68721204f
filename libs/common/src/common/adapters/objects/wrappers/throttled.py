"""Keeps to a number of requests at once and to bytes per second, over all threads of the process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.ports import Body, ObjectInfo, ObjectStore, PartReceipt, Upload


@dataclass(slots=True)
class Pace:
    """Lets `bytes_per_second` through: each transfer books its time, and waits until it begins."""

    bytes_per_second: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _free_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def spend(self, size: int) -> None:
        with self._lock:
            now = self.clock()
            begin = max(now, self._free_at)
            self._free_at = begin + size / self.bytes_per_second
        if begin > now:
            self.sleep(begin - now)


class ThrottledStore(ForwardingStore):
    """ObjectStore that asks less of another one. An open body counts as a request."""

    def __init__(self, store: ObjectStore, *, concurrency: int, pace: Pace | None = None) -> None:
        super().__init__(store)
        self._turn = BoundedSemaphore(concurrency)
        self._pace = pace

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        """Takes a turn per entry asked for, never while the reader holds one: lists and reads can be nested."""
        found = iter(self.store.list(prefix=prefix, start_after=start_after))
        while True:
            with self._turn:
                info = next(found, None)
            if info is None:
                return
            yield info

    def head(self, *, key: str) -> ObjectInfo:
        with self._turn:
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
        opened = self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)
        with self._turn, opened as body:
            yield body if self._pace is None else _PacedBody(body, self._pace)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        with self._turn:
            if self._pace is not None:
                self._pace.spend(len(data))
            return self.store.create(key=key, data=data, content_type=content_type, metadata=metadata)

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        with self._turn:
            begun = super().begin_upload(key=key, content_type=content_type, metadata=metadata)
        return _ThrottledUpload(begun, self._turn, self._pace)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        resumed = super().resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)
        return _ThrottledUpload(resumed, self._turn, self._pace)


class _ThrottledUpload(ForwardingUpload):
    def __init__(self, upload: Upload, turn: BoundedSemaphore, pace: Pace | None) -> None:
        super().__init__(upload)
        self._turn = turn
        self._pace = pace

    def put_part(self, number: int, data: bytes | memoryview) -> PartReceipt:
        with self._turn:
            if self._pace is not None:
                self._pace.spend(len(data))
            return self.upload.put_part(number, data)

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        with self._turn:
            return self.upload.commit(parts, content_md5=content_md5)


@dataclass(frozen=True, slots=True)
class _PacedBody:
    body: Body
    pace: Pace

    @property
    def info(self) -> ObjectInfo:
        return self.body.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for block in self.body:
            self.pace.spend(len(block))
            yield block
