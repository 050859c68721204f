"""Copying a large object in parts: read and hashed in order, uploaded several at a time, committed only if right.

Memory is bounded by the part size times the parts in flight. After a crash the upload is taken up again: its parts
are not sent twice, though the source is read again from its beginning, because a digest cannot be resumed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypedDict

from backfill_replicator.labels import labels
from backfill_replicator.parts import PartPlan, plan
from common.domain.fixity import MultiHasher, mismatches
from common.domain.segment import PlannedFile
from common.errors import AlreadyExists, NotFound, StoreUnavailable
from common.pools import Pools
from common.ports import Body, ObjectStore, PartReceipt, Upload

IN_FLIGHT = 4
MOST_HELD = 256 << 20
"""Bytes of parts in flight at the same time, where the parts are so large that fewer must do; one always may."""


class Facts(TypedDict):
    """What an object is besides its bytes, as stores are told."""

    content_type: str | None
    metadata: dict[str, str] | None


class Notes:
    """Which uploads are under way, remembered with the segment so that a later attempt takes them up."""

    def __init__(self, *, earlier: dict[str, str], remember: Callable[[dict[str, str]], None]) -> None:
        self._uploads = dict(earlier)
        self._remember = remember
        self._lock = threading.Lock()

    def upload_of(self, key: str) -> str | None:
        with self._lock:
            return self._uploads.get(key)

    def started(self, key: str, upload_id: str) -> None:
        with self._lock:
            self._uploads[key] = upload_id
            self._remember(dict(self._uploads))

    def ended(self, key: str) -> None:
        """The upload was committed or aborted. Kept in memory only: a stale note does no harm."""
        with self._lock:
            self._uploads.pop(key, None)


class LargeCopy:
    """One attempt at one large file."""

    def __init__(
        self,
        file: PlannedFile,
        *,
        read: Callable[[], AbstractContextManager[Body]],
        destination: ObjectStore,
        destination_key: str,
        notes: Notes,
        checkpoint: Callable[[], None],
        pools: Pools = ThreadPoolExecutor,
    ) -> None:
        self._file = file
        self._read = read
        """Opens the source's bytes, pinned."""
        self._destination = destination
        self._key = destination_key
        self._notes = notes
        self._checkpoint = checkpoint
        self._pools = pools
        self._plan: PartPlan = plan(file.size, destination.limits)

    def run(self) -> str:
        """Copy; returns what is wrong with the source's bytes, or nothing. Raises AlreadyExists as `commit` does."""
        hasher = MultiHasher(self._file.checksums)
        with self._read() as body:
            upload, have = self._open(body.info.content_type)
            receipts = self._send(upload, hasher, have, body)
        measured = hasher.digests()
        wrong = mismatches(expected=self._file.checksums, measured=measured)
        if wrong or hasher.size != self._file.size:
            upload.abort()
            self._notes.ended(self._key)
            told = (f"{a.display} {measured[a]}, expected {self._file.checksums[a]}" for a in wrong)
            return f"{self._file.path}: {hasher.size} bytes of {self._file.size}; " + "; ".join(told)
        self._commit(upload, receipts)
        return ""

    def _commit(self, upload: Upload, receipts: list[PartReceipt]) -> None:
        try:
            upload.commit(receipts)
        except AlreadyExists:
            upload.abort()
            raise
        except NotFound as error:
            raise _forgotten(error) from error
        self._notes.ended(self._key)

    def _open(self, content_type: str | None) -> tuple[Upload, dict[int, PartReceipt]]:
        facts: Facts = {"content_type": content_type, "metadata": labels(self._file)}
        earlier = self._notes.upload_of(self._key)
        if earlier:
            upload = self._destination.resume_upload(key=self._key, upload_id=earlier, **facts)
            have = {part.number: part for part in upload.parts()}
            if have:
                return upload, {n: part for n, part in have.items() if part.size == self._length(n)}
            # Begun and never used, or forgotten by the store: nothing of it must stay behind.
            upload.abort()
        upload = self._destination.begin_upload(key=self._key, **facts)
        self._notes.started(self._key, upload.id)
        return upload, {}

    def _length(self, number: int) -> int:
        return self._plan.length(number) if 1 <= number <= self._plan.count else -1

    def _send(self, upload: Upload, hasher: MultiHasher, have: dict[int, PartReceipt], body: Body) -> list[PartReceipt]:
        slots = threading.Semaphore(max(1, min(IN_FLIGHT, MOST_HELD // self._plan.part_size)))
        failed = threading.Event()
        futures: dict[int, Future[PartReceipt]] = {}

        def ended(part: Future[PartReceipt]) -> None:
            if not part.cancelled() and part.exception():
                failed.set()
            slots.release()

        with self._pools(max_workers=IN_FLIGHT, thread_name_prefix="part") as pool:
            try:
                for number, data in enumerate(self._parts(hasher, body), start=1):
                    if number in have:
                        continue
                    slots.acquire()
                    if failed.is_set():
                        # Now, not after the rest of a terabyte.
                        break
                    futures[number] = pool.submit(upload.put_part, number, data)
                    futures[number].add_done_callback(ended)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        sent = {number: _receipt(future) for number, future in futures.items()}
        return [receipt for _, receipt in sorted((have | sent).items())]

    def _parts(self, hasher: MultiHasher, body: Body) -> Iterator[bytes]:
        """The source's bytes in parts, hashed in order."""
        held = bytearray()
        for block in body:
            self._checkpoint()
            hasher.update(block)
            held += block
            while len(held) >= self._plan.part_size:
                yield bytes(held[: self._plan.part_size])
                del held[: self._plan.part_size]
        if held:
            yield bytes(held)


def _receipt(part: Future[PartReceipt]) -> PartReceipt:
    try:
        return part.result()
    except NotFound as error:
        raise _forgotten(error) from error


def _forgotten(error: NotFound) -> StoreUnavailable:
    return StoreUnavailable(f"the destination has forgotten an upload, the next attempt begins another: {error}")
