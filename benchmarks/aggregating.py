"""What the aggregator takes: `python -m benchmarks.aggregating FILES` compares a copy of so many files and prints it.

Both streams, what was verified and what the store lists, are made up as they are read, so that time and memory are the
aggregator's own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from benchmarks.planning import Everywhere, FreeHold, MadeUpBag

from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.jobs import Attempt, ReplicaJob
from common.outcome import Done
from replica_aggregator.step import Aggregate
from replica_aggregator.tally import VerifiedObject


@dataclass(frozen=True, slots=True)
class _AllVerified:
    """A ledger in which every byte of every file agreed."""

    bag: MadeUpBag

    def planned(self, ingest_id: UUID) -> int:
        del ingest_id
        return self.bag.objects

    verified = planned

    def objects(self, ingest_id: UUID, *, below: str) -> Iterator[VerifiedObject]:
        del ingest_id
        return (VerifiedObject(info.key, info.size, info.etag) for info in self.bag.list(prefix=below))


def main() -> None:
    """Prints what `measure` found as JSON; ends with status 1 where the copy is not found whole."""
    print(json.dumps(measure(int(sys.argv[1]))))


def measure(files: int) -> dict[str, float]:
    """{"files", "seconds", "rss"}: `rss` in bytes."""
    bag = MadeUpBag(files)
    aggregate = Aggregate(stores=Everywhere(bag), records=_AllVerified(bag))  # type: ignore[arg-type]
    began = time.perf_counter()
    outcome = aggregate(_job(bag))
    seconds = time.perf_counter() - began
    if not isinstance(outcome, Done):
        sys.exit(f"the aggregator answered {outcome}")
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"files": files, "seconds": seconds, "rss": rss}


def _job(bag: MadeUpBag) -> ReplicaJob:
    return ReplicaJob(
        replica_id=1,
        ingest_id=UUID(int=0),
        bag=BagVersion.of("bench", "million", 1),
        source=Location(LocationId("source"), Provider.AMAZON_S3, "src"),
        destination=Location(LocationId("destination"), Provider.AMAZON_S3, "dst"),
        attempt=Attempt(number=1, worker="benchmark", build="benchmark"),
        hold=FreeHold(),
        registered_pins=bag.pins,
        planned_pins=bag.pins,
    )


if __name__ == "__main__":
    main()
