"""The step for REGISTERING: the location enters the bag's record."""

from __future__ import annotations

from datetime import datetime

from bag_register.registration import differences, told
from common.domain.storage_class import Classes
from common.jobs import Job, ReplicaJob
from common.outcome import Done, Outcome, Registered, Rejected, SeenClasses, Write


def register(job: Job) -> Outcome:
    """Registered, if the copy is of the bag in the record. The ledger counts the evidence in the same transaction."""
    assert isinstance(job, ReplicaJob)
    differing = differences(planned=job.planned_pins, registered=job.registered_pins)
    if differing:
        return Rejected(
            code="manifest_changed",
            why=told(differing),
            for_user=f"{job.bag} at {job.source.name} is not the bag that was registered: {differing[0]}",
        )
    return Done(said="", writes=_writes(job), detail={"location": job.destination.id.value})


def _writes(job: ReplicaJob) -> tuple[Write, ...]:
    """The location; and the storage classes of its objects, from the list that was compared with what was verified."""
    entered = Registered(bag=job.bag)
    if "classes" not in job.progress:
        return (entered,)
    listed = datetime.fromisoformat(job.progress["listed"])
    return (entered, SeenClasses(job.destination.id, Classes.of(job.progress["classes"]), listed))
