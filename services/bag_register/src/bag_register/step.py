"""The step for REGISTERING: the location enters the bag's record."""

from __future__ import annotations

from bag_register.registration import differences, told
from common.jobs import Job, ReplicaJob
from common.outcome import Done, Outcome, Registered, Rejected


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
    return Done(said="", writes=(Registered(bag=job.bag),), detail={"location": job.destination.id.value})
