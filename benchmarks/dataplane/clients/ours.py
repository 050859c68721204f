"""Backfill's own steps without queue and ledger: list, copy segment by segment, read everything back.

What a worker does between claim and commit, with its usual two segments at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

import obstore
from benchmarks.dataplane.clients.at import At, Known
from benchmarks.dataplane.stores import Store, Task
from benchmarks.dataplane.workloads import read_items

from backfill_replicator.step import Replicate
from common.adapters.objects.registry import open_store
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.location import Location, LocationId, Provider
from common.domain.segment import PlannedFile, SegmentLimits, SegmentPlan, cut
from common.jobs import Attempt, SegmentJob
from common.memory import Memory
from common.outcome import Done
from common.ports import ObjectStore
from common.runtime.memory import settle_memory
from verifier.step import Verify

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

_SOURCE, _DESTINATION = LocationId("source"), LocationId("destination")
_ROWS = 2
"""Segments at a time, as the services' default."""


class _Opened:
    """Both ends as every service opens them, without the ledger that the services' own assembly needs."""

    def __init__(self, configs: dict[LocationId, LocationConfig]) -> None:
        self._stores = {location: open_store(config) for location, config in configs.items()}

    def __call__(self, location: LocationId) -> ObjectStore:
        return self._stores[location]

    def cold(self, location: LocationId) -> None:
        """Nothing here is archived."""


class _FreeHold:
    """Nobody else wants the segment."""

    def checkpoint(self) -> None: ...

    def remember(self, **notes: object) -> None: ...


def main() -> None:
    """ours.py TASK"""
    task = Task.read(Path(sys.argv[1]))
    settle_memory()
    configs = {config.id: config for config in (_config(task, _SOURCE), _config(task, _DESTINATION))}
    stores = _Opened(configs)
    rows = min(_ROWS, task.concurrency)
    memory = Memory()
    replicate = Replicate(stores=stores, concurrency=task.concurrency // rows, memory=memory)
    verify = Verify(stores=stores, concurrency=task.concurrency // rows, memory=memory)
    jobs = _jobs(task, source=_location(configs[_SOURCE]), destination=_location(configs[_DESTINATION]))

    def work(job: SegmentJob) -> None:
        for step in (replicate, verify):
            outcome = step(job)
            if not isinstance(outcome, Done):
                sys.exit(f"{type(step).__name__} answered {outcome}")

    with ThreadPoolExecutor(rows) as pool:
        list(pool.map(work, jobs))


def _config(task: Task, location: LocationId) -> LocationConfig:
    store: Store = task.source if location == _SOURCE else task.destination
    s3 = store.kind == "s3"
    at = At(
        id=location,
        provider=Provider.AMAZON_S3 if s3 else Provider.AZURE_BLOB,
        bucket=store.bucket,
        endpoint=store.endpoint,
        region="us-east-1" if s3 else None,
        access_key_id=Known(store.account) if s3 else None,
        secret_access_key=Known(store.secret) if s3 else None,
        account_name=None if s3 else store.account,
        account_key=None if s3 else Known(store.secret),
        concurrency=max(16, task.concurrency),
    )
    return cast("LocationConfig", at)


def _location(config: LocationConfig) -> Location:
    return Location(config.id, config.provider, config.bucket)


def _jobs(task: Task, *, source: Location, destination: Location) -> Iterator[SegmentJob]:
    """One list per 1,000 files gives sizes and ETags, in place of a plan; the digests are the manifest's, as there.

    Listed with obstore: a worker that copies never lists, and need not start the SDK that does it for others.
    """
    digests = {item.key: item.sha256 for item in read_items(Path(task.items))}
    bags: dict[str, list[PlannedFile]] = {}
    for meta in sorted(_listed(task), key=lambda meta: meta["path"]):
        bag, _, path = meta["path"].removeprefix(task.prefix).partition("/")
        sums = {Algorithm.SHA256: digests[meta["path"]]}
        etag = (meta["e_tag"] or "").strip('"')
        bags.setdefault(bag, []).append(PlannedFile(path.partition("/")[2], path, meta["size"], sums, etag))
    for bag, files in bags.items():
        for segment in cut(files, limits=SegmentLimits()):
            yield _job(BagVersion.of(task.prefix.rstrip("/"), bag, 1), segment, source, destination)


def _listed(task: Task) -> Iterator[obstore.ObjectMeta]:
    config = {
        "endpoint": task.source.endpoint,
        "region": "us-east-1",
        "access_key_id": task.source.account,
        "secret_access_key": task.source.secret,
    }
    bucket = obstore.store.S3Store(task.source.bucket, config=config, client_options={"allow_http": True})
    for page in obstore.list(bucket, prefix=task.prefix, chunk_size=1000):
        yield from page


def _job(bag: BagVersion, segment: SegmentPlan, source: Location, destination: Location) -> SegmentJob:
    return SegmentJob(
        segment_id=segment.number,
        number=segment.number,
        ingest_id=UUID(int=0),
        bag=bag,
        source=source,
        destination=destination,
        files=segment.files,
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=_FreeHold(),
    )


if __name__ == "__main__":
    main()
