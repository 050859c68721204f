"""The step for IMPORTING: walks a location and registers the bags that lie there."""

from __future__ import annotations

from functools import partial

import structlog

from bag_register.adoption import Adopter, Verdict, against_register
from bag_register.records import Records
from bag_register.walking import Found, walk
from common.jobs import ImportJob, Job
from common.ledger.importing import Adoption, ImportProblem
from common.outcome import Done, Outcome
from common.ports import ObjectStore, Stores

log = structlog.get_logger()


class Import:
    """Goes on where an earlier attempt stopped: the import's place moves with every bag, in the bag's transaction."""

    def __init__(self, *, stores: Stores, records: Records, adopter: Adopter) -> None:
        self._stores = stores
        self._records = records
        self._adopter = adopter

    def __call__(self, job: Job) -> Outcome:
        assert isinstance(job, ImportJob)
        store = self._stores(job.location.id)
        number = 0
        found_at = walk(
            store,
            root=job.location.prefix,
            prefix=job.prefix,
            after=job.progress.get("after"),
            checkpoint=job.hold.checkpoint,
        )
        for found in found_at:
            self._settle(job, found, self._verdict(job, found, store))
            number += 1
        return Done(said=f"{number} bags looked at")

    def _verdict(self, job: ImportJob, found: Found, store: ObjectStore) -> Verdict:
        if found.bag is None:
            problem = ImportProblem(found.path, "path_not_understood", "error", f"{found.fault}. Move or rename it.")
            return Verdict(Adoption.REFUSED, (problem,))
        return self._adopter.adopt(found.bag, store=store, location=job.location, checkpoint=job.hold.checkpoint)

    def _settle(self, job: ImportJob, found: Found, verdict: Verdict) -> None:
        # A worker that lost its claim while it read stops here; one that loses it later does no harm.
        job.hold.checkpoint()
        taken = partial(_taken, verdict)
        adoption = self._records.settle(import_id=job.import_id, end=found.end, verdict=verdict, if_taken=taken)
        log.info("bag looked at", import_id=job.import_id, bag=found.path, outcome=adoption.value)


def _taken(verdict: Verdict, registered: dict[str, str]) -> Verdict:
    assert verdict.new is not None
    return against_register(verdict.new.bag, pins=dict(verdict.new.pins), registered=registered)
