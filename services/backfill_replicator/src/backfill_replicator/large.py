"""Copying a large object in parts: read several at a time, hashed in order, uploaded, committed only if right.

After a crash the upload is taken up again: its parts are not sent twice where they are right, though the source is
read again from its beginning, because a digest cannot be resumed. A part is right where the store tells the MD5 of what
was read now, or the mark that it would be sent with now; where the store tells neither, it is sent again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypedDict

from backfill_replicator.labels import labels
from backfill_replicator.notes import Notes
from backfill_replicator.parts import plan
from common.domain.fixity import Algorithm, MultiHasher, mismatches
from common.domain.segment import PlannedFile
from common.errors import BackfillError, NotFound, StoreUnavailable
from common.measuring import Measuring
from common.ports import ObjectInfo, ObjectStore, PartReceipt, Upload
from common.ranges import Ranges, in_ranges

IN_FLIGHT = 4
"""Parts of one file, each on its way from the source to the destination; fewer where they are so large that memory
does not allow it."""


MARK = 8
"""Hex digits of a part's mark."""


class Facts(TypedDict):
    """What an object is besides its bytes, as stores are told."""

    content_type: str | None
    metadata: dict[str, str] | None


def taken_up(destination: ObjectStore, key: str, facts: Facts, *, notes: Notes) -> tuple[Upload, list[PartReceipt]]:
    """The upload that an earlier attempt began, with the parts it has; or a new one, noted."""
    earlier = notes.upload_of(key)
    if earlier:
        upload = destination.resume_upload(key=key, upload_id=earlier, **facts)
        if have := upload.parts():
            return upload, have
        # Begun and never used, or forgotten by the store: nothing of it must stay behind.
        upload.abort()
    upload = destination.begin_upload(key=key, **facts)
    notes.started(key, upload.id)
    return upload, []


def commit(upload: Upload, receipts: Mapping[int, PartReceipt], file: PlannedFile) -> None:
    """Raises AlreadyExists where another object is there, and StoreUnavailable where the store forgot the upload."""
    md5 = file.checksums.get(Algorithm.MD5)
    try:
        upload.commit(
            [receipt for _, receipt in sorted(receipts.items())], content_md5=bytes.fromhex(md5) if md5 else None
        )
    except NotFound as error:
        raise _forgotten(error) from error


class LargeCopy:
    """One attempt at one large file."""

    def __init__(
        self,
        file: PlannedFile,
        *,
        read_into: Callable[[int, memoryview], ObjectInfo],
        destination: ObjectStore,
        destination_key: str,
        notes: Notes,
        measuring: Measuring,
    ) -> None:
        self._file = file
        self._read_into = read_into
        """Fills a buffer from a place of the source on, pinned."""
        self._destination = destination
        self._key = destination_key
        self._notes = notes
        self._measuring = measuring
        parts = plan(file.size, destination.limits)
        self._ranges = Ranges(file.size, parts.part_size)
        self._opening = threading.Lock()
        self._upload: Upload | None = None
        self._content_type: str | None = None
        self._size = file.size
        """What the source says; all answers are of one object, pinned."""
        self._hasher = MultiHasher(file.checksums)
        self._marks: list[str] = []
        """Of each part that was hashed, what the file is up to its end."""
        self._found: dict[int, list[PartReceipt]] = {}
        """What an earlier attempt has sent, right or wrong."""
        self._receipts: dict[int, PartReceipt] = {}

    def run(self) -> str:
        """Copy; returns what is wrong with the source's bytes, or nothing. Raises AlreadyExists as `commit` does;
        what it raises and no later attempt can mend is followed by `give_up`."""
        try:
            in_ranges(
                self._ranges,
                get=self._get,
                use=self._hash,
                then=self._send,
                memory=self._measuring.memory,
                pools=self._measuring.pools,
                workers=IN_FLIGHT,
            )
        except ValueError as shorter:
            self.give_up()
            return f"{self._file.path}: {shorter}"
        measured = self._hasher.digests()
        wrong = mismatches(expected=self._file.checksums, measured=measured)
        if wrong or self._size != self._file.size:
            told = (f"{a.display} {measured[a]}, expected {self._file.checksums[a]}" for a in wrong)
            self.give_up()
            return f"{self._file.path}: {self._size} bytes of {self._file.size}; " + "; ".join(told)
        commit(self._opened(), self._receipts, self._file)
        self._notes.ended(self._key)
        return ""

    def give_up(self) -> None:
        """Nobody will take the upload up: leave nothing behind that costs storage, if the store lets us."""
        if self._upload is not None:
            with suppress(BackfillError):
                self._upload.abort()
            self._notes.ended(self._key)

    def _get(self, first: int, into: memoryview) -> None:
        self._measuring.checkpoint()
        info = self._read_into(first, into)
        self._content_type, self._size = info.content_type, info.size

    def _hash(self, data: memoryview) -> None:
        self._hasher.update(data)
        # Costs no second pass over the bytes, and tells a part from any other of the same file, too.
        so_far = " ".join(self._hasher.digests().values())
        self._marks.append(hashlib.sha256(so_far.encode()).hexdigest()[:MARK])

    def _send(self, number: int, data: memoryview) -> None:
        upload = self._opened()
        mark = self._marks[number - 1]
        receipt = self._sent_before(number, data, mark)
        try:
            self._receipts[number] = receipt or upload.put_part(number, data, mark=mark)
        except NotFound as error:
            raise _forgotten(error) from error

    def _sent_before(self, number: int, data: memoryview, mark: str) -> PartReceipt | None:
        """The attempt that sent a part may have been given wrong bytes and ended before it knew."""
        found = self._found.get(number, [])
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest() if any(part.md5 for part in found) else ""
        return next((part for part in found if (part.md5 and part.md5 == md5) or part.mark == mark), None)

    def _opened(self) -> Upload:
        """The upload, begun or taken up when the first part has been read: the source says what it is of."""
        with self._opening:
            if self._upload is None:
                self._upload = self._open()
            return self._upload

    def _open(self) -> Upload:
        facts: Facts = {"content_type": self._content_type, "metadata": labels(self._file)}
        upload, have = taken_up(self._destination, self._key, facts, notes=self._notes)
        for part in have:
            if part.size == self._length(part.number):
                self._found.setdefault(part.number, []).append(part)
        return upload

    def _length(self, number: int) -> int:
        return self._ranges.length_of(number) if 1 <= number <= self._ranges.count else -1


def _forgotten(error: NotFound) -> StoreUnavailable:
    return StoreUnavailable(f"the destination has forgotten an upload, the next attempt begins another: {error}")
