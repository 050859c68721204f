"""The step: copy a segment's files and say what became of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from backfill_replicator.light import LightCopy
from backfill_replicator.notes import Notes
from backfill_replicator.transfer import Copied, Ends, Result, Transfer
from common.domain.location import LocationId
from common.domain.replica import SegmentState
from common.domain.segment import PlannedFile
from common.errors import NotRestored
from common.jobs import Interrupted, SegmentJob
from common.measuring import Measuring
from common.memory import Memory
from common.outcome import Done, GoBack, Outcome, Rejected
from common.pools import Pools
from common.ports import PartCopier, Stores
from common.rounds import Rounds
from common.wording import count, size

_CODES = {
    Result.SOURCE_CORRUPT: "source_digest_mismatch",
    Result.SOURCE_VANISHED: "source_vanished",
    Result.SOURCE_CHANGED: "source_changed",
    Result.DESTINATION_DIFFERS: "destination_differs",
    Result.TOO_LARGE: "too_large_for_destination",
}


Copiers = Callable[[LocationId, LocationId], PartCopier | None]
"""What has the second location fetch from the first by itself; None where the worker moves the bytes."""


def no_copier(_source: LocationId, _destination: LocationId) -> PartCopier | None:
    """Every byte comes by the worker."""
    return None


class Replicate:
    """Copies one segment. Everything a later attempt needs is at the destination or remembered with the row."""

    def __init__(
        self,
        *,
        stores: Stores,
        concurrency: int,
        pools: Pools = ThreadPoolExecutor,
        memory: Memory | None = None,
        copier: Copiers = no_copier,
    ) -> None:
        self._stores = stores
        self._copier = copier
        self._pools = pools
        self._concurrency = concurrency
        """Files copied at the same time."""
        self._memory = memory or Memory()

    def __call__(self, job: SegmentJob) -> Outcome:
        notes = Notes(
            earlier=dict(job.progress.get("uploads", {})),
            remember=lambda uploads: job.hold.remember(uploads=uploads),
        )
        measuring = Measuring(self._memory, job.hold.checkpoint, self._pools)
        transfer = Transfer(
            measuring=measuring,
            notes=notes,
            look_first=_tried_before(job),
        )
        wanted = [file for file in job.files if not file.fetched]
        source, destination = self._stores(job.source.id), self._stores(job.destination.id)
        copier = self._copier(job.source.id, job.destination.id)

        def ends(file: PlannedFile) -> Ends:
            return Ends(source, job.source_key(file), destination, job.destination_key(file), copier)

        try:
            light = LightCopy(transfer, measuring=measuring, ends=ends)
            rounds = Rounds(pools=self._pools, at_once=self._concurrency, name="copy", stores=(source, destination))
            results = rounds.each(wanted, several=light.several, one=light.one)
        except (NotRestored, Interrupted) as error:
            return _after(error, job)
        return _outcome(results)


def _tried_before(job: SegmentJob) -> bool:
    return job.attempt.number > 1 or not job.progress.keys().isdisjoint({"uploads", "returns", "begun"})


def _after(error: NotRestored | Interrupted, job: SegmentJob) -> Outcome:
    """A frozen object goes back to the warmer; being interrupted is not for us to answer."""
    if isinstance(error, NotRestored):
        return GoBack(state=SegmentState.THAWING.value, why=str(error))
    # It costs no attempt, so the next one would not know that files are there already.
    job.hold.remember(begun=True)
    raise error


def _outcome(results: list[Copied]) -> Outcome:
    bad = [copied for copied in results if not copied.result.good]
    if bad:
        told = "; ".join(copied.why for copied in bad)
        first = bad[0]
        summary = first.why if len(bad) == 1 else f"{count(len(bad), 'file')} cannot be copied: {told}"
        return Rejected(code=_CODES[first.result], why=told, for_user=f"{first.result}: {summary}")
    there = sum(copied.result is Result.ALREADY_THERE for copied in results)
    copied = [c.file for c in results if c.result is Result.COPIED]
    said = f"{count(len(copied), 'file')}, {size(sum(file.size for file in copied))}"
    remotely = sum(copied.remotely for copied in results)
    said += f", {remotely} by the stores themselves" if remotely else ""
    return Done(said=said + (f", {there} already there" if there else ""))
