"""Memory of one huge object: `python -m benchmarks.sparse [--gib 200] [--share 0.5]`.

A sparse file of so many GiB lies in the null server; the copy step plans it and copies that share of it to S3, where
its parts are largest, and is then interrupted as a worker that is asked to stop. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
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

_BAG = BagVersion.of("sparse", "film", 1)
_KEY_PATH = "v1/data/film.mxf"
_IDS = {"src": LocationId("source"), "dst": LocationId("destination")}


class _HoldUntil:
    """Interrupts after so many bytes: each part of a large file is one checkpoint."""

    def __init__(self, most: int, *, part: int) -> None:
        self._most, self._part, self._seen = most, part, 0

    def checkpoint(self) -> None:
        self._seen += self._part
        if self._seen > self._most:
            raise Interrupted

    def remember(self, **notes: object) -> None: ...


class _Opened:
    """Source and destination, both on the null server."""

    def __init__(self, configs: dict[LocationId, LocationConfig]) -> None:
        self._stores = {location: open_store(config) for location, config in configs.items()}

    def __call__(self, location: LocationId) -> ObjectStore:
        return self._stores[location]

    def cold(self, location: LocationId) -> None:
        """Nothing here is archived."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=int, default=200)
    parser.add_argument("--share", type=float, default=0.5)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-sparse-", dir=shared if shared.is_dir() else None))
    try:
        print(json.dumps(measure(room, size=given.gib << 30, share=given.share)))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def measure(room: Path, *, size: int, share: float) -> dict[str, float]:
    """{"gib", "copied_gib", "part_mib", "seconds", "rss"}; `rss` in bytes. Raises CannotMeasure without gcc."""
    program = compile_null_server(room)
    if program is None:
        raise CannotMeasure("a huge object needs the null server, which needs gcc; install gcc")
    path = room / "src" / str(_BAG.bag_path) / _KEY_PATH
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size)
    with NullServer(program, room, log=room / "null_server.log") as server:
        configs = {location: _config(server, bucket, location) for bucket, location in _IDS.items()}
        stores = _Opened(configs)
        etag = stores(_IDS["src"]).head(key=f"{_BAG.bag_path}/{_KEY_PATH}").etag
        part = plan(size, stores(_IDS["dst"]).limits).part_size
        job = _job(
            configs, PlannedFile("data/film.mxf", _KEY_PATH, size, {Algorithm.SHA256: "0" * 64}, etag), share, part
        )
        began = time.perf_counter()
        _copy(Replicate(stores=stores, concurrency=8), job)
        seconds = time.perf_counter() - began
        parts = server.take_counts()["PUT"]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    copied = parts * part / (1 << 30)
    return {"gib": size >> 30, "copied_gib": copied, "part_mib": part >> 20, "seconds": seconds, "rss": rss}


def _copy(replicate: Replicate, job: SegmentJob) -> None:
    try:
        outcome = replicate(job)
    except Interrupted:
        return
    raise CannotMeasure(f"the copy ended before it was interrupted: {outcome}")


def _config(server: NullServer, bucket: str, location: LocationId) -> LocationConfig:
    store = server.store("s3", bucket)
    facts = {"id": location, "provider": Provider.AMAZON_S3, "bucket": bucket, "endpoint": store.endpoint}
    keys = {"access_key_id": store.account, "secret_access_key": store.secret, "region": "us-east-1"}
    return LocationConfig.model_validate({**facts, **keys})


def _job(configs: dict[LocationId, LocationConfig], file: PlannedFile, share: float, part: int) -> SegmentJob:
    return SegmentJob(
        segment_id=1,
        number=1,
        ingest_id=UUID(int=0),
        bag=_BAG,
        source=configs[_IDS["src"]].location,
        destination=configs[_IDS["dst"]].location,
        files=[file],
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=_HoldUntil(int(file.size * share), part=part),
    )


if __name__ == "__main__":
    main()
