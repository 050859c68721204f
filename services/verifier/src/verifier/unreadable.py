"""Files that are frozen: the store is asked about them. None is thawed for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from common.domain.fixity import Checksums
from common.errors import NotFound
from common.jobs import CheckJob, ReadBefore
from common.outcome import Evidence
from common.pools import Pools, in_parallel
from common.ports import ObjectStore
from verifier.checks import convinced
from verifier.frozen import judged

BY_RECORD = "\x01"
"""What the place of a check begins with that goes by the ledger's record, for the manifests are frozen too."""


class Record(Protocol):
    """What the ledger knows of the files of a check's copy that were read back and agreed."""

    def read_before(self, check_id: int, keys: Sequence[str]) -> dict[str, ReadBefore]:
        """By key; objects that were never read back are not there."""
        ...

    def every_read_before(self, check_id: int, *, after: str, limit: int) -> list[ReadBefore]:
        """Of all objects of the copy, by key, those behind the key `after`."""
        ...


@dataclass(frozen=True, slots=True)
class Frozen:
    """A file whose bytes cannot be read now."""

    path: str
    key: str
    expected: Checksums
    """By the manifests, or by the record where those are frozen too."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Asks a store about frozen files."""

    record: Record
    pools: Pools
    concurrency: int

    def files(self, job: CheckJob, files: Sequence[Frozen], *, store: ObjectStore) -> list[Evidence]:
        """Evidence for each, in order. Raises TransientErrors of the store and AccessDenied."""
        if not files:
            return []
        known = self.record.read_before(job.check_id, [file.key for file in files])

        def ask(file: Frozen) -> Evidence:
            job.hold.checkpoint()
            return convinced(lambda: _asked(store, file, known.get(file.key)))

        return in_parallel(ask, list(files), pools=self.pools, workers=self.concurrency, name="ask")

    def next_by_record(self, job: CheckJob, place: str | None, *, most: int) -> list[Frozen]:
        """Behind the check's place, the files that the record knows; none at its end."""
        after = place[len(BY_RECORD) :] if place and place.startswith(BY_RECORD) else ""
        found = self.record.every_read_before(job.check_id, after=after, limit=most)
        return [Frozen(one.path, one.key, one.digests) for one in found]


def _asked(store: ObjectStore, file: Frozen, before: ReadBefore | None) -> Evidence:
    looked_at, began = datetime.now(UTC), time.perf_counter()
    try:
        told = store.head(key=file.key)
    except NotFound:
        told = None
    return judged(
        path=file.path,
        key=file.key,
        expected=file.expected,
        told=told,
        before=before,
        looked_at=looked_at,
        seconds=time.perf_counter() - began,
    )
