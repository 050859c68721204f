"""The step: every file verified, nothing extra, nothing missing, and the same manifests as at the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from common.errors import ArchivedAtDestination, NotFound, NotRestored
from common.jobs import ReplicaJob
from common.outcome import Done, Outcome, Rejected
from common.ports import ObjectInfo, ObjectStore, Stores
from common.wording import count
from replica_aggregator.tally import Tally, VerifiedObject, tally


class Records(Protocol):
    """What the aggregator asks the ledger."""

    def planned(self, ingest_id: UUID) -> int:
        """How many files the plan has."""
        ...

    def verified(self, ingest_id: UUID) -> int:
        """How many distinct files every byte of was read back and agreed."""
        ...

    def objects(self, ingest_id: UUID, *, below: str) -> Iterator[VerifiedObject]:
        """The verified objects whose keys begin with `below`, by key in UTF-8 byte order."""
        ...


class Aggregate:
    """Decides whether one replica is whole."""

    def __init__(self, *, stores: Stores, records: Records) -> None:
        self._stores = stores
        self._records = records

    def __call__(self, job: ReplicaJob) -> Outcome:
        planned, verified = self._records.planned(job.ingest_id), self._records.verified(job.ingest_id)
        if planned == 0 or planned != verified:
            told = f"{verified} of {planned} files are verified"
            return Rejected(code="replica_incomplete", why=told, for_user=told)
        store = self._stores(job.destination.id)
        listed = datetime.now(UTC)
        found = self._compared(job, store)
        if not found.whole:
            return Rejected(code="replica_not_whole", why=found.fault(), for_user=found.fault())
        if fault := _different_manifests(job, store):
            return Rejected(code="manifest_changed", why=fault, for_user=fault)
        # For when the copy enters the record: until then nothing is said of it.
        classes = found.classes.named(job.destination.provider)
        job.hold.remember(classes=classes.amounts, listed=listed.isoformat())
        return Done(said=f"all {count(planned, 'file')} are there, nothing else is")

    def _compared(self, job: ReplicaJob, store: ObjectStore) -> Tally:
        """Compare once, and once more before anything is called wrong: a listing may lag behind."""
        found = self._compare(job, store)
        return found if found.whole else self._compare(job, store)

    def _compare(self, job: ReplicaJob, store: ObjectStore) -> Tally:
        root = job.destination.root(job.bag)
        listed = _checked(job, store.list(prefix=root))
        return tally(self._records.objects(job.ingest_id, below=root), listed)


def _checked(job: ReplicaJob, items: Iterator[ObjectInfo]) -> Iterator[ObjectInfo]:
    for item in items:
        job.hold.checkpoint()
        yield item


def _different_manifests(job: ReplicaJob, store: ObjectStore) -> str:
    """Which files of the manifest set are not, byte for byte, the ones pinned at the source; empty: none."""
    if not job.planned_pins or dict(job.planned_pins) != dict(job.registered_pins):
        return "the manifests read at the source are not the ones the bag was registered with"
    root = job.destination.root(job.bag)
    wrong = [path for path, digest in sorted(job.planned_pins.items()) if not _is(store, f"{root}{path}", digest, job)]
    return "differs from the source: " + ", ".join(wrong) if wrong else ""


def _is(store: ObjectStore, key: str, digest: str, job: ReplicaJob) -> bool:
    """Whether the object has the SHA-256; called wrong only when two reads say so."""
    return any(_sha256(store, key, job) == digest for _ in range(2))


def _sha256(store: ObjectStore, key: str, job: ReplicaJob) -> str:
    digest = hashlib.sha256()
    try:
        with store.read(key=key) as body:
            for block in body:
                job.hold.checkpoint()
                digest.update(block)
    except NotFound:
        return "missing"
    except NotRestored as error:
        raise ArchivedAtDestination(f"{key}: {error}") from error
    return digest.hexdigest()
