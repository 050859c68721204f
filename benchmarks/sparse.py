"""Memory of one huge object: `python -m benchmarks.sparse [--to azure] [--gib 200] [--share 0.5]`.

A sparse file of so many GiB lies in the null server; the copy step plans it and copies that share of it, every byte of
which it reads, hashes and sends, and is then interrupted as a worker that is asked to stop. Prints JSON, and how far it
is on standard error. Half of 200 GiB takes some three minutes of two cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.null_server import NullServer, compile_null_server

from backfill_replicator.parts import plan
from backfill_replicator.step import Replicate
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.location import LocationId, Provider
from common.domain.segment import PlannedFile
from common.jobs import Attempt, Interrupted, SegmentJob
from common.ports import ObjectStore
from common.runtime.memory import settle_memory

_BAG = BagVersion.of("sparse", "film", 1)
_KEY_PATH = "v1/data/film.mxf"
_SOURCE, _DESTINATION = LocationId("source"), LocationId("destination")
_GIB, _TOLD_EVERY = 1 << 30, 15.0


class HoldUntil:
    """Interrupts after so many bytes: each part of a large file is one checkpoint."""

    def __init__(self, most: int, *, part: int) -> None:
        self._most, self._part, self._seen = most, part, 0
        self._began = self._told = time.perf_counter()

    def checkpoint(self) -> None:
        self._seen += self._part
        if self._seen > self._most:
            raise Interrupted
        now = time.perf_counter()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            told = f"{self._seen / _GIB:.1f} of {self._most / _GIB:.1f} GiB, {_peak() >> 20} MiB of memory"
            print(f"{now - self._began:.0f} s: {told}", file=sys.stderr, flush=True)

    def remember(self, **notes: object) -> None: ...


class _Opened:
    """Source and destination, both on the null server."""

    def __init__(self, stores: dict[LocationId, ObjectStore]) -> None:
        self._stores = stores

    def __call__(self, location: LocationId) -> ObjectStore:
        return self._stores[location]

    def cold(self, location: LocationId) -> None:
        """Nothing here is archived."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", choices=("s3", "azure"), default="s3")
    parser.add_argument("--gib", type=int, default=200)
    parser.add_argument("--share", type=float, default=0.5)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-sparse-", dir=shared if shared.is_dir() else None))
    try:
        print(json.dumps(measure(room, to=given.to, size=given.gib * _GIB, share=given.share)))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def measure(room: Path, *, to: str, size: int, share: float) -> dict[str, float | str]:
    """{"to", "gib", "copied_gib", "parts", "part_mib", "seconds", "rss"}; `rss` in bytes, `copied_gib` as the server
    counted it. Raises CannotMeasure without gcc, and where less was copied than was wanted."""
    program = compile_null_server(room)
    if program is None:
        raise CannotMeasure("a huge object needs the null server, which needs gcc; install gcc")
    path = room / "src" / str(_BAG.bag_path) / _KEY_PATH
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size)
    settle_memory()
    with NullServer(program, room, log=room / "null_server.log") as server:
        source, destination = _config(server, "s3", _SOURCE, "src"), _config(server, to, _DESTINATION, "dst")
        stores: dict[LocationId, ObjectStore] = {config.id: open_store(config) for config in (source, destination)}
        etag = stores[_SOURCE].head(key=f"{_BAG.bag_path}/{_KEY_PATH}").etag
        parts = plan(size, stores[_DESTINATION].limits)
        film = PlannedFile("data/film.mxf", _KEY_PATH, size, {Algorithm.SHA256: "0" * 64}, etag)
        began = time.perf_counter()
        hold = HoldUntil(int(size * share), part=parts.part_size)
        _copy(Replicate(stores=_Opened(stores), concurrency=8), _job(film, source, destination, hold))
        seconds = time.perf_counter() - began
        sent = server.take_counts()["PUT"] * parts.part_size
    if sent < size * share * 0.99:
        raise CannotMeasure(f"{sent / _GIB:.1f} GiB were sent of {size * share / _GIB:.1f} that were wanted")
    sizes = {"gib": size / _GIB, "copied_gib": sent / _GIB, "parts": parts.count, "part_mib": parts.part_size >> 20}
    return {"to": to, **sizes, "seconds": seconds, "rss": _peak()}


def _copy(replicate: Replicate, job: SegmentJob) -> None:
    try:
        outcome = replicate(job)
    except Interrupted:
        return
    raise CannotMeasure(f"the copy ended before it was interrupted: {outcome}")


def _peak() -> int:
    """Bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _config(server: NullServer, kind: str, location: LocationId, bucket: str) -> LocationConfig:
    store = server.store(kind, bucket)
    provider, keys = Provider.AZURE_BLOB, {"account_name": store.account, "account_key": store.secret}
    if kind == "s3":
        provider = Provider.AMAZON_S3
        keys = {"access_key_id": store.account, "secret_access_key": store.secret, "region": "us-east-1"}
    facts = {"id": location, "provider": provider, "bucket": bucket, "endpoint": store.endpoint}
    return LocationConfig.model_validate({**facts, **keys})


def _job(file: PlannedFile, source: LocationConfig, destination: LocationConfig, hold: HoldUntil) -> SegmentJob:
    return SegmentJob(
        segment_id=1,
        number=1,
        ingest_id=UUID(int=0),
        bag=_BAG,
        source=source.location,
        destination=destination.location,
        files=[file],
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=hold,
    )


if __name__ == "__main__":
    main()
