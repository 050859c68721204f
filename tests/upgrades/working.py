"""A worker's part in the ledger, without stores and broker: it takes whatever row it may and settles it.

Run as a program it uses whichever release of `common` is first on its path: working.py DSN NAME. It prints "ready",
begins when a line comes in, and ends with the number of rows it settled when nothing is left to do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.domain.segment import PlannedFile, SegmentPlan
from common.errors import ClaimLost
from common.ledger.beginning import begin
from common.ledger.claims import Patience
from common.ledger.engine import open_engine, transaction
from common.ledger.settling import settle
from common.ledger.tables import WORK
from common.outcome import Done, Evidence, Outcome, Planned, Registered, Verified
from common.topology import STAGES, Stage

PATIENCE = Patience()
DIGEST = {Algorithm.SHA256: "0" * 64}
_OPEN = "SELECT count(*) FROM ingests WHERE status IN ('accepted', 'processing')"


def _planned(_facts: Any) -> Outcome:
    files = [PlannedFile(f"data/{n}", f"v1/data/{n}", 3, DIGEST, "e") for n in (1, 2, 3)]
    segments = [SegmentPlan(number, [file]) for number, file in enumerate(files, start=1)]
    return Done("3 files", writes=(Planned(segments=segments, files=3, bytes=9, pins={"bagit.txt": "a" * 64}),))


def _verified(facts: Any) -> Outcome:
    now = datetime.now(UTC)
    proofs = [
        Evidence(
            path=file.path, key=file.key_path, outcome="match", evidence_class=EvidenceClass.READ_BACK,
            expected=DIGEST, measured=DIGEST, bytes=3, etag="e", version_id=None, started_at=now, seconds=0.1,
        )
        for file in facts["files"]
    ]  # fmt: skip
    return Done("", writes=(Verified(proofs),))


_OUTCOMES: dict[str, Callable[[Any], Outcome]] = {
    "planning": _planned,
    "verifying": _verified,
    "registering": lambda facts: Done("", writes=(Registered(facts["bag"]),)),
}


def work_once(engine: Engine, name: str) -> int:
    """Settle every row that this worker gets hold of; returns how many."""
    settled = 0
    for stage in STAGES:
        with transaction(engine) as connection:
            found = connection.execute(
                text(f"SELECT id FROM {WORK[stage.kind].name} WHERE state = :state ORDER BY random() LIMIT 3"),
                {"state": stage.state.value},
            ).scalars()
            ids = list(found)
        settled += sum(_settled(engine, stage, row_id, name) for row_id in ids)
    return settled


def _settled(engine: Engine, stage: Stage, row_id: int, name: str) -> bool:
    with transaction(engine) as connection:
        begun = begin(connection, stage=stage, row_id=row_id, worker=name, patience=PATIENCE)
    if begun is None:
        return False
    outcome = _OUTCOMES.get(stage.name, lambda _: Done(""))(begun.facts)
    try:
        with transaction(engine) as connection:
            settle(connection, begun.claim, outcome, patience=PATIENCE, build=name)
    except ClaimLost:
        return False
    return True


def work(engine: Engine, name: str, *, seconds: float = 30) -> int:
    """Until every ingest has finished."""
    settled, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        settled += work_once(engine, name)
        with transaction(engine) as connection:
            if not connection.execute(text(_OPEN)).scalar_one():
                break
    return settled


def main() -> None:
    dsn, name = sys.argv[1:]
    engine = open_engine(dsn, name=name)
    print("ready", flush=True)
    sys.stdin.readline()
    print(work(engine, name), flush=True)


if __name__ == "__main__":
    main()
