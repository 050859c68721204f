"""Every step of the pipeline on stores in memory, with a note of each key, file and address that it touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from backfill_replicator.step import Replicate
from bag_register.adoption import Adopter, Place
from bag_register.file_lists import FileLists
from bag_register.walking import Found
from bag_warmer.presence import Presence
from bag_warmer.step import Plan
from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.bag import BagVersion, Version
from common.domain.location import Location, LocationId
from common.domain.naming import Names
from common.domain.segment import PlannedFile
from common.outcome import Done, Evidence, Outcome, Planned, Verified
from replica_aggregator.step import Aggregate
from replica_aggregator.tally import VerifiedObject
from unit.common.runtime.archives import AZURE, COLD, Archive, Hold, replica_job, segment_job
from verifier.step import Verify

SOURCE = replace(COLD, prefix="archive/")
DESTINATION = replace(AZURE, prefix="copies/")
BAG = BagVersion.of("digitised", "b1", 2)
NEIGHBOURS = ("digitised/b1/v10/secret", "digitised/b10/v2/data/secret", "digitised/b2/v1/bagit.txt", "secret")
"""What lies around the bag, below the same prefix."""


@dataclass
class Touched:
    """What was asked for while something ran."""

    source: list[tuple[str, str]] = field(default_factory=list)
    """Operation and key (or the prefix of a listing)."""
    destination: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    """Network addresses that were connected to or looked up."""
    files: list[str] = field(default_factory=list)
    """Files of the computer that were opened for a bag's name."""


class _Ear:
    """Hears of every file and address that Python opens. There is one: an audit hook cannot be taken away."""

    def __init__(self) -> None:
        self.told: Touched | None = None
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.told is None:
            return
        if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            self.told.addresses.append(f"{event} {arguments[1:] or arguments}")
        if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(("/etc/", "/root", "~")):
            self.told.files.append(arguments[0])


_EAR: list[_Ear] = []


@contextmanager
def listening(archive: Archive) -> Iterator[Touched]:
    touched = Touched()
    archive.source.before = lambda operation, key: touched.source.append((operation, key))
    archive.destination.before = lambda operation, key: touched.destination.append((operation, key))
    _EAR or _EAR.append(_Ear())
    _EAR[0].told = touched
    try:
        yield touched
    finally:
        _EAR[0].told = None


class _Records:
    """The ledger's answers: every earlier version is at the destination."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []

    def locations(self) -> list[Location]:
        return [SOURCE, DESTINATION]

    def presence(self, bag: BagVersion, version: Version, location: LocationId) -> Presence:
        return Presence.REGISTERED

    def planned(self, ingest_id: UUID) -> int:
        return len(self.evidence)

    def verified(self, ingest_id: UUID) -> int:
        return len({item.path for item in self.evidence})

    def objects(self, ingest_id: UUID, *, below: str) -> Iterator[VerifiedObject]:
        own = sorted((item for item in self.evidence if item.key.startswith(below)), key=lambda item: item.key.encode())
        return iter([VerifiedObject(item.key, item.bytes, item.etag) for item in own])


def put(archive: Archive, files: Mapping[str, bytes]) -> None:
    """The bag at the source, among its neighbours."""
    for path, body in files.items():
        archive.put(path, body, at=SOURCE, bag=BAG)
    source, destination = archive.buckets[COLD.id], archive.buckets[AZURE.id]
    for key in NEIGHBOURS:
        for bucket, prefix in ((source, SOURCE.prefix), (destination, DESTINATION.prefix)):
            MemoryStore(bucket).create(key=prefix + key, data=b"secret")


def adopt(archive: Archive) -> dict[str, str]:
    """Import the bag, whatever the verdict."""
    at = Place(
        store=archive.source,
        listing=archive.source,
        location=SOURCE,
        known=[SOURCE, DESTINATION],
        checkpoint=lambda: None,
    )
    found = Found(BAG.path, f"{BAG.path}/", BAG)
    verdict = Adopter(FileLists(store=MemoryStore(MemoryBucket()))).adopt(found, at=at, entry=None)
    return dict(verdict.new.pins) if verdict.new else {}


def carry(archive: Archive, pins: Mapping[str, str], *, names: Names) -> Outcome:
    """Every step after the request; the outcome of the last that was come to."""
    records, facts = _Records(), {"source": SOURCE, "destination": DESTINATION}
    job = replace(replica_job(Hold(), bag=BAG, registered_pins=pins, planned_pins=pins), **facts)
    outcome = Plan(stores=archive, records=records, warming=Warming(), names=lambda _: names)(job)
    if not isinstance(outcome, Done):
        return outcome
    plan = next(fact for fact in outcome.writes if isinstance(fact, Planned))
    for segment in plan.segments:
        if not isinstance(outcome := _segment(archive, segment.files, facts, records), Done):
            return outcome
    return Aggregate(stores=archive, records=records)(job)


def _segment(archive: Archive, files: list[PlannedFile], facts: dict[str, Any], records: _Records) -> Outcome:
    job = replace(segment_job(files, Hold(), bag=BAG), **facts)
    steps = (
        ThawSegment(stores=archive, warming=Warming()),
        Replicate(stores=archive, concurrency=2),
        Verify(stores=archive, concurrency=2),
    )
    outcome: Outcome = Done("")
    for step in steps:
        outcome = step(job)
        if not isinstance(outcome, Done):
            break
        for fact in outcome.writes:
            if isinstance(fact, Verified):
                records.evidence += fact.evidence
    return outcome
