"""The step: read a segment's files back from the destination and keep the evidence, good or bad."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from common.domain.segment import PlannedFile
from common.errors import ArchivedAtDestination, NotRestored
from common.jobs import SegmentJob
from common.measuring import Measuring
from common.memory import Memory
from common.outcome import Done, Evidence, Outcome, Rejected, Verified
from common.pools import Pools
from common.ports import Stores
from common.rounds import Rounds
from common.wording import count, size
from verifier.checks import Check


class Verify:
    """Verifies one segment with credentials that cannot write."""

    def __init__(
        self, *, stores: Stores, concurrency: int, pools: Pools = ThreadPoolExecutor, memory: Memory | None = None
    ) -> None:
        self._stores = stores
        self._pools = pools
        self._concurrency = concurrency
        """Files read at the same time."""
        self._memory = memory or Memory()

    def __call__(self, job: SegmentJob) -> Outcome:
        store = self._stores(job.destination.id)
        check = Check(store=store, measuring=Measuring(self._memory, job.hold.checkpoint, self._pools))

        def several(files: Sequence[PlannedFile], at_once: int) -> list[Evidence | None]:
            return check.files(files, [job.destination_key(file) for file in files], at_once)

        rounds = Rounds(pools=self._pools, at_once=self._concurrency, name="verify", stores=[store])
        evidence = rounds.each(
            job.files, several=several, one=lambda file: _checked(check, file, key=job.destination_key(file))
        )
        return outcome(evidence)


def _checked(check: Check, file: PlannedFile, *, key: str) -> Evidence:
    """Raises ArchivedAtDestination where a rule has frozen the copy meanwhile: no word against its bytes."""
    try:
        return check.file(file, key=key)
    except NotRestored as error:
        raise ArchivedAtDestination(f"{file.path}: {error}") from error


def outcome(evidence: list[Evidence]) -> Outcome:
    """All good, or every bad file with what was expected and what was measured. The evidence is kept either way."""
    bad = [item for item in evidence if item.outcome != "match"]
    facts = (Verified(evidence),)
    if not bad:
        doubted = sum(item.reads > 1 for item in evidence)
        said = f"{count(len(evidence), 'file')}, {size(sum(item.bytes for item in evidence))}"
        return Done(said=said + (f", {doubted} only at a further read" if doubted else ""), writes=facts)
    told = "; ".join(f"{item.path}: {item.outcome}, {item.reason}" for item in bad)
    names = ", ".join(item.path for item in bad)
    return Rejected(
        code="replica_digest_mismatch",
        why=told,
        for_user=f"unable to verify {count(len(bad), 'file')} at the destination: {names}",
        writes=facts,
        after_the_rest=True,
    )
