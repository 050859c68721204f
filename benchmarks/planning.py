"""How planning grows: `python -m benchmarks.planning FILES` plans a bag of so many files and prints what it took.

The bag is listed and read from a store that makes it up, so that time and memory are the planner's own.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from bag_warmer.presence import Presence
from bag_warmer.step import Plan
from bag_warmer.warming import Warming
from common.adapters.objects.body import CountedBody
from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId, Provider
from common.domain.naming import Names
from common.jobs import Attempt, ReplicaJob
from common.outcome import Done, Planned
from common.ports import Body, Limits, ObjectInfo

_BAG = BagVersion.of("bench", "million", 1)
_SIZE = 10_000
_LIMITS = Limits(max_single_put=1 << 30, min_part=1, max_part=1 << 30, max_parts=10_000, max_object=1 << 40)
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


class MadeUpBag:
    """A store that holds one bag of so many files of 10 KB, and keeps none of it in memory."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._tags = {"bag-info.txt": self._info(), "bagit.txt": _DECLARATION}
        digest, self._manifest_size = hashlib.sha256(), 0
        for block in self._manifest():
            digest.update(block)
            self._manifest_size += len(block)
        self.pins = {name: hashlib.sha256(data).hexdigest() for name, data in self._tags.items()}
        self.pins["manifest-sha256.txt"] = digest.hexdigest()
        lines = "".join(f"{value}  {name}\n" for name, value in self.pins.items())
        self._tag_manifest = lines.encode()
        self.pins["tagmanifest-sha256.txt"] = hashlib.sha256(self._tag_manifest).hexdigest()

    limits = _LIMITS

    @property
    def objects(self) -> int:
        """Files with those that describe them."""
        return self._files + len(self.pins)

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        after = (start_after or "").removeprefix(prefix)
        head = ((name, len(data)) for name, data in self._tags.items())
        payload = ((_path(n), _SIZE) for n in range(self._files)) if after < "data/\U0010ffff" else ()
        tail = (("manifest-sha256.txt", self._manifest_size), ("tagmanifest-sha256.txt", len(self._tag_manifest)))
        for group in (head, payload, tail):
            yield from (ObjectInfo(prefix + path, size, "etag") for path, size in group if path > after)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo:
        """A small tag file: the reader asks for no other in this way."""
        del if_match, version_id
        size, blocks = self._content(key.rpartition("/")[2])
        into[:size] = b"".join(blocks)
        return ObjectInfo(key, size, "etag")

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
        del first, length, if_match, version_id
        name = key.rpartition("/")[2]
        size, blocks = self._content(name)
        yield CountedBody(ObjectInfo(key, size, "etag"), blocks, size)

    def name_fault(self, key: str) -> str | None:
        return None if key else "a key must not be empty"

    def _content(self, name: str) -> tuple[int, Iterable[bytes]]:
        if name == "manifest-sha256.txt":
            return self._manifest_size, self._manifest()
        data = self._tag_manifest if name == "tagmanifest-sha256.txt" else self._tags[name]
        return len(data), [data]

    def _manifest(self) -> Iterator[bytes]:
        for first in range(0, self._files, 1000):
            numbers = range(first, min(first + 1000, self._files))
            yield "".join(f"{n:064x}  {_path(n)}\n" for n in numbers).encode()

    def _info(self) -> bytes:
        return f"External-Identifier: million\nPayload-Oxum: {self._files * _SIZE}.{self._files}\n".encode()


def _path(number: int) -> str:
    return f"data/{number // 1000:04d}/page-{number:07d}.jp2"


@dataclass(frozen=True, slots=True)
class Everywhere:
    """Both ends are the made-up store; nothing in it can be archived."""

    store: MadeUpBag

    def __call__(self, location: LocationId) -> MadeUpBag:
        del location
        return self.store

    def cold(self, location: LocationId) -> None:
        del location


class _NoRecords:
    """An archive of this one bag."""

    def locations(self) -> list[Location]:
        return []

    def presence(self, bag: BagVersion, version: Version, location: LocationId) -> Presence:
        del bag, version, location
        return Presence.ABSENT


class FreeHold:
    def checkpoint(self) -> None: ...

    def remember(self, **notes: object) -> None: ...


def main() -> None:
    """Prints what `measure` found as JSON; ends with status 1 where the plan is not done."""
    print(json.dumps(measure(int(sys.argv[1]))))


def measure(files: int) -> dict[str, float]:
    """{"files", "seconds", "cpu", "segments", "rss"}: `cpu` in seconds too, `rss` in bytes."""
    store = MadeUpBag(files)
    plan = Plan(stores=Everywhere(store), records=_NoRecords(), warming=Warming(), names=lambda _location: Names.REFUSE)  # type: ignore[arg-type]
    began, used = time.perf_counter(), time.process_time()
    outcome = plan(_job(store))
    if not isinstance(outcome, Done):
        sys.exit(f"the plan was answered with {outcome}")
    planned = outcome.writes[0]
    assert isinstance(planned, Planned)
    segments = sum(1 for _ in planned.segments)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"files": planned.files, "seconds": seconds, "cpu": cpu, "segments": segments, "rss": rss}


def _job(store: MadeUpBag) -> ReplicaJob:
    return ReplicaJob(
        replica_id=1,
        ingest_id=UUID(int=0),
        bag=_BAG,
        source=Location(LocationId("source"), Provider.AMAZON_S3, "src"),
        destination=Location(LocationId("destination"), Provider.AMAZON_S3, "dst"),
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=FreeHold(),
        registered_pins=store.pins,
    )


if __name__ == "__main__":
    main()
