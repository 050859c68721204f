"""Is a replica whole? Every file proven, nothing extra, nothing missing, the same manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from common.errors import ArchivedAtDestination
from common.jobs import Interrupted
from common.outcome import Done, Outcome, Rejected
from replica_aggregator.step import Aggregate
from replica_aggregator.tally import VerifiedObject
from unit.common.domain.bagit.bags import bag, digest
from unit.common.runtime.archives import AZURE, BAG, INGEST, Archive, Hold, replica_job

FILES = bag({"data/a": b"a", "data/é💾": b"b"})
PINS = {path: digest(body) for path, body in FILES.items() if not path.startswith("data/")}


@dataclass
class Proofs:
    """What the ledger knows."""

    verified_objects: list[VerifiedObject] = field(default_factory=list)
    lacking: int = 0
    """Planned files without evidence."""

    def planned(self, ingest_id: UUID) -> int:
        assert ingest_id == INGEST
        return len(self.verified_objects) + self.lacking

    def verified(self, ingest_id: UUID) -> int:
        return len(self.verified_objects)

    def objects(self, ingest_id: UUID, *, below: str) -> Iterator[VerifiedObject]:
        return (item for item in self.verified_objects if item.key.startswith(below))


def key(path: str) -> str:
    return AZURE.root(BAG) + path


def replicated(archive: Archive, files: Mapping[str, bytes] = FILES) -> Proofs:
    """Files at the destination with the proofs of their verification."""
    infos = [archive.put(path, data, at=AZURE) for path, data in files.items()]
    ordered = sorted(infos, key=lambda info: info.key.encode())
    return Proofs([VerifiedObject(info.key, info.size, info.etag) for info in ordered])


def aggregated(archive: Archive, proofs: Proofs, hold: Hold | None = None, **pins: Mapping[str, str]) -> Outcome:
    job = replica_job(hold, **({"registered_pins": PINS, "planned_pins": PINS} | pins))
    return Aggregate(stores=archive, records=proofs)(job)


def not_whole(why: str) -> Rejected:
    return Rejected(code="replica_not_whole", why=why, for_user=why)


def test_a_whole_replica_goes_on() -> None:
    archive = Archive()

    assert aggregated(archive, replicated(archive)) == Done(said="all 5 files are there, nothing else is")


def test_a_whole_replica_s_storage_classes_are_remembered_for_the_record() -> None:
    archive, hold = Archive(), Hold()
    proofs = replicated(archive)
    info = archive.put("data/a", FILES["data/a"], at=AZURE, storage_class="Cool")
    proofs.verified_objects = [
        VerifiedObject(info.key, info.size, info.etag) if one.key == info.key else one
        for one in proofs.verified_objects
    ]
    rest = sum(len(body) for path, body in FILES.items() if path != "data/a")

    aggregated(archive, proofs, hold)

    assert hold.progress["classes"] == {"STANDARD": [4, rest], "Cool": [1, 1]}


@pytest.mark.parametrize(("times", "expected"), [(1, Done), (2, Rejected)])
def test_a_manifest_is_called_another_only_when_two_reads_say_so(times: int, expected: type[Outcome]) -> None:
    archive = Archive()
    proofs = replicated(archive)
    left = iter(range(times))
    archive.destination.spoil = lambda _key, block: block if next(left, None) is None else b"?" + block[1:]

    assert type(aggregated(archive, proofs)) is expected


def test_other_versions_and_bags_beside_it_are_not_its_business() -> None:
    archive = Archive()
    proofs = replicated(archive)
    for neighbour in ("digitised/b1/v10/data/a", "digitised/b1/v2/data/a", "digitised/b10/v1/data/a"):
        archive.destination.create(key=neighbour, data=b"x")

    assert isinstance(aggregated(archive, proofs), Done)


@pytest.mark.parametrize("lacking", [1, 5])
def test_files_without_evidence_are_counted(lacking: int) -> None:
    archive = Archive()
    proofs = replicated(archive)
    proofs.lacking = lacking

    told = f"5 of {5 + lacking} files are verified"
    assert aggregated(archive, proofs) == Rejected("replica_incomplete", told, told)


def test_a_replica_of_nothing_is_not_whole() -> None:
    told = "0 of 0 files are verified"

    assert aggregated(Archive(), Proofs()) == Rejected("replica_incomplete", told, told)


def test_an_extra_object_is_refused() -> None:
    archive = Archive()
    proofs = replicated(archive)
    archive.put("data/extra", b"x", at=AZURE)

    assert aggregated(archive, proofs) == not_whole(f"1 extra: {key('data/extra')}")


def test_a_missing_object_is_refused() -> None:
    archive = Archive()
    proofs = replicated(archive)
    del archive.buckets[AZURE.id].objects[key("data/a")]

    assert aggregated(archive, proofs) == not_whole(f"1 missing: {key('data/a')}")


def test_pitfall_24_a_manifest_that_a_rule_archived_is_said_to_be_archived_and_not_to_differ() -> None:
    archive = Archive()
    replicated(archive)
    archive.put("bagit.txt", FILES["bagit.txt"], at=AZURE, storage_class="GLACIER")
    proofs = Proofs(
        [VerifiedObject(info.key, info.size, info.etag) for info in archive.destination.list(prefix=AZURE.root(BAG))]
    )

    with pytest.raises(ArchivedAtDestination, match=r"bagit\.txt"):
        aggregated(archive, proofs)


def test_an_object_written_since_it_was_verified_is_refused_though_its_size_is_the_same() -> None:
    archive = Archive()
    proofs = replicated(archive)
    archive.put("data/a", b"A", at=AZURE)

    assert aggregated(archive, proofs) == not_whole(f"1 changed: {key('data/a')}")


def test_a_listing_that_lags_once_is_looked_at_again() -> None:
    archive = Archive()
    proofs = replicated(archive)
    archive.destination.hidden = {key("data/a")}

    assert isinstance(aggregated(archive, proofs), Done)
    assert archive.destination.calls["list"] == 2


def test_manifests_that_are_not_the_pinned_ones_are_refused_though_they_were_verified() -> None:
    """Another valid bag under the same name would pass every other check."""
    archive = Archive()
    proofs = replicated(archive, FILES | {"bagit.txt": b"other", "manifest-sha256.txt": b"other"})

    told = "differs from the source: bagit.txt, manifest-sha256.txt"
    assert aggregated(archive, proofs) == Rejected("manifest_changed", told, told)


def test_a_pinned_manifest_that_is_not_there_is_refused() -> None:
    archive = Archive()
    proofs = replicated(archive, {path: body for path, body in FILES.items() if path != "bagit.txt"})

    told = "differs from the source: bagit.txt"
    assert aggregated(archive, proofs) == Rejected("manifest_changed", told, told)


@pytest.mark.parametrize(
    ("planned", "registered"), [(PINS, PINS | {"bagit.txt": "0" * 64}), ({}, PINS), ({}, {}), (PINS, {})]
)
def test_pins_that_are_not_the_registered_ones_are_refused(
    planned: Mapping[str, str], registered: Mapping[str, str]
) -> None:
    archive = Archive()

    outcome = aggregated(archive, replicated(archive), planned_pins=planned, registered_pins=registered)

    told = "the manifests read at the source are not the ones the bag was registered with"
    assert outcome == Rejected("manifest_changed", told, told)


def test_a_stopping_worker_leaves_off_counting() -> None:
    archive = Archive()

    with pytest.raises(Interrupted):
        aggregated(archive, replicated(archive), Hold(stop_after=2))
