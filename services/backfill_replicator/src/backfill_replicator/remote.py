"""Copying a large object by the stores themselves: no byte comes by here, so none is hashed on its way.

What is committed is proven by the verifier alone, who reads back every byte of it like of any other copy.
"""

from __future__ import annotations

from contextlib import suppress

from backfill_replicator.labels import labels
from backfill_replicator.large import IN_FLIGHT, Facts, commit, taken_up
from backfill_replicator.notes import Notes
from backfill_replicator.parts import plan
from common.domain.segment import PlannedFile
from common.errors import BackfillError, Changed, NotFound, NotRestored, StoreError, StoreUnavailable
from common.measuring import Measuring
from common.pools import in_parallel
from common.ports import ObjectStore, PartCopier, PartReceipt, Upload


class RemoteCopy:
    """One attempt at one large file. Of the source only its facts are read."""

    def __init__(
        self,
        file: PlannedFile,
        *,
        copier: PartCopier,
        source: ObjectStore,
        source_key: str,
        destination: ObjectStore,
        destination_key: str,
        notes: Notes,
        measuring: Measuring,
    ) -> None:
        self._file = file
        self._copier = copier
        self._source = source
        self._source_key = source_key
        self._destination = destination
        self._key = destination_key
        self._notes = notes
        self._measuring = measuring
        self._plan = plan(file.size, destination.limits, usual=copier.part_size)

    def run(self) -> None:
        """Copy and commit. Raises CannotCopy where these stores do not, Changed and NotFound of the source,
        AlreadyExists as `commit` does, and leaves nothing behind then; NotRestored and what may work later leave the
        upload to the next attempt."""
        facts: Facts = {"content_type": self._look(), "metadata": labels(self._file)}
        upload, have = taken_up(self._destination, self._key, facts, notes=self._notes)
        try:
            receipts = self._send(upload, have)
            self._look()
            commit(upload, receipts, self._file)
        except NotRestored:
            raise
        except StoreError:
            with suppress(BackfillError):
                upload.abort()
            self._notes.ended(self._key)
            raise
        self._notes.ended(self._key)

    def _look(self) -> str | None:
        """The content type of the object that was planned. Where it has a version, that is what is copied: another
        object at the key does not matter."""
        info = self._source.head(key=self._source_key)
        if self._file.version_id is None and (info.etag, info.size) != (self._file.etag, self._file.size):
            raise Changed(f"{self._source_key} has ETag {info.etag}, planned was {self._file.etag}")
        return info.content_type

    def _send(self, upload: Upload, have: list[PartReceipt]) -> dict[int, PartReceipt]:
        numbers = range(1, self._plan.count + 1)
        kept = {
            part.number: part for part in have if part.number in numbers and part.size == self._plan.length(part.number)
        }
        sent = in_parallel(
            lambda number: self._part(upload, number),
            [number for number in numbers if number not in kept],
            pools=self._measuring.pools,
            workers=IN_FLIGHT,
            name="part",
        )
        return kept | {receipt.number: receipt for receipt in sent}

    def _part(self, upload: Upload, number: int) -> PartReceipt:
        self._measuring.checkpoint()
        try:
            return self._copier.copy_part(
                key=self._key,
                upload_id=upload.id,
                number=number,
                source_key=self._source_key,
                first=(number - 1) * self._plan.part_size,
                length=self._plan.length(number),
                if_match=self._file.etag,
                version_id=self._file.version_id,
            )
        except NotFound as error:
            # The upload or the source: the store does not say which.
            self._source.head(key=self._source_key)
            raise StoreUnavailable(f"the destination has forgotten an upload: {error}") from error
