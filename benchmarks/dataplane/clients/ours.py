"""Backfill's own steps without queue and ledger: list, copy segment by segment, read everything back.

What workers do between claim and commit, one for each processor, as many as there are in production. They have two
segments at a time between them, as much memory as one of them, and as many requests under way as every other client.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import quote, urlencode

from benchmarks.dataplane.clients.at import at
from benchmarks.dataplane.stores import Task

from backfill_replicator.step import Replicate
from common.adapters.objects.registry import open_store
from common.adapters.objects.s3.client import Connection
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.location import Location, LocationId
from common.domain.segment import PlannedFile, SegmentLimits, SegmentPlan, cut
from common.jobs import Attempt, SegmentJob
from common.memory import MOST_HELD, Memory
from common.outcome import Done
from common.ports import ObjectStore
from common.processors import interrupt_nobody
from common.runtime.memory import settle_memory
from verifier.step import Verify

if TYPE_CHECKING:
    from uuid import UUID

    from common.adapters.objects.configuration import LocationConfig

_SOURCE, _DESTINATION = LocationId("source"), LocationId("destination")
_ROWS = 2
"""Segments at a time, of all workers together; as one service's default."""
_LONGEST_PAGE = 4 << 20
_ENTRY = re.compile(r"<Contents>.*?<Key>([^<]*)</Key>.*?<ETag>([^<]*)</ETag>.*?<Size>(\d+)</Size>", re.DOTALL)
_MORE = re.compile(r"<NextContinuationToken>(.+?)</NextContinuationToken>")


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


class _Queue:
    """Numbers from 0 on, each of which one process gets that takes it. To be made before the processes are."""

    MOST = 16_000
    """Numbers that a pipe holds: 64 KiB."""
    _SIZE = 4

    def __init__(self, count: int) -> None:
        assert count <= self.MOST, "the pipe would be full"
        # Who reads from a pipe has it for itself; a place in a file that processes share is not always guarded.
        self._taken, given = os.pipe()
        os.write(given, b"".join(number.to_bytes(self._SIZE, "little") for number in range(count)))
        os.close(given)

    def __iter__(self) -> Iterator[int]:
        while taken := os.read(self._taken, self._SIZE):
            yield int.from_bytes(taken, "little")


def main() -> None:
    """ours.py TASK"""
    task = Task.read(sys.argv[1])
    settle_memory()
    interrupt_nobody()
    ends = {_SOURCE: task.source, _DESTINATION: task.destination}
    configs = {location: at(store, location, concurrency=task.concurrency) for location, store in ends.items()}
    jobs = list(_jobs(task, configs))
    queue = _Queue(len(jobs))
    workers = max(1, min(len(os.sched_getaffinity(0)), task.concurrency, len(jobs)))
    others: list[int] = []
    while len(others) < workers - 1 and (other := os.fork()):
        others.append(other)
    share = _Share(max(1, _ROWS // workers), max(1, task.concurrency // workers), MOST_HELD // workers)
    _work(jobs, queue, configs, share)
    # Only the first has begun all others.
    ended = [os.waitpid(other, 0)[1] for other in others if len(others) == workers - 1]
    if any(ended):
        sys.exit("another worker failed")


class _Share(NamedTuple):
    """What one of the workers may have under way."""

    segments: int
    files: int
    """Of all its segments."""
    held: int
    """Bytes."""


def _work(jobs: Sequence[SegmentJob], queue: _Queue, configs: dict[LocationId, LocationConfig], share: _Share) -> None:
    """What one worker process does."""
    stores, memory = _Opened(configs), Memory(share.held)
    rows = min(share.segments, share.files)
    replicate = Replicate(stores=stores, concurrency=share.files // rows, memory=memory)
    verify = Verify(stores=stores, concurrency=share.files // rows, memory=memory)

    def work(_: int) -> None:
        for place in queue:
            for step in (replicate, verify):
                outcome = step(jobs[place])
                if not isinstance(outcome, Done):
                    sys.exit(f"{type(step).__name__} answered {outcome}")

    with ThreadPoolExecutor(rows) as pool:
        list(pool.map(work, range(rows)))


def _location(config: LocationConfig) -> Location:
    return Location(config.id, config.provider, config.bucket)


def _jobs(task: Task, configs: dict[LocationId, LocationConfig]) -> Iterator[SegmentJob]:
    """One list per 1,000 files gives sizes and ETags, in place of a plan; the digests are the manifest's, as there.

    Listed without an SDK: a worker that copies never lists, and need not start the one that does it for others.
    """
    digests = _digests(task)
    bags: dict[str, list[PlannedFile]] = {}
    for key, size, etag in sorted(_listed(task, configs[_SOURCE])):
        bag, _, path = key.removeprefix(task.prefix).partition("/")
        sums = {Algorithm.SHA256: digests[key]}
        bags.setdefault(bag, []).append(PlannedFile(path.partition("/")[2], path, size, sums, etag))
    source, destination = _location(configs[_SOURCE]), _location(configs[_DESTINATION])
    for bag, files in bags.items():
        for segment in cut(files, limits=SegmentLimits()):
            yield _job(BagVersion.of(task.prefix.rstrip("/"), bag, 1), segment, source, destination)


def _digests(task: Task) -> dict[str, str]:
    """By key, out of the manifest that rclone is given too."""
    with open(task.manifest, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to import than this to read
        lines = [line.split("  ", 1) for line in file.read().splitlines()]
    return {task.prefix + path: digest for digest, path in lines}


def _listed(task: Task, config: LocationConfig) -> Iterator[tuple[str, int, str]]:
    """Key, size and ETag of every object below the prefix."""
    direct = Connection(config).direct
    page, after = memoryview(bytearray(_LONGEST_PAGE)), ""
    while True:
        query = {"list-type": "2", "prefix": task.prefix, **({"continuation-token": after} if after else {})}
        target = f"{direct.path}?{urlencode(sorted(query.items()), quote_via=quote, safe='')}"
        headers = direct.signer.signed("GET", target, host=direct.wire.origin.host, headers={})
        size = direct.wire.fetch(target, page, headers=headers)[1]
        assert size is not None, "a page of the list is too long"
        text = bytes(page[:size]).decode()
        for key, etag, length in _ENTRY.findall(text):
            yield key, int(length), etag.replace("&quot;", "")
        if (more := _MORE.search(text)) is None:
            return
        after = more[1]


def _job(bag: BagVersion, segment: SegmentPlan, source: Location, destination: Location) -> SegmentJob:
    return SegmentJob(
        segment_id=segment.number,
        number=segment.number,
        ingest_id=cast("UUID", None),  # nobody asks, and the module takes long to import
        bag=bag,
        source=source,
        destination=destination,
        files=segment.files,
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=_FreeHold(),
    )


if __name__ == "__main__":
    main()
