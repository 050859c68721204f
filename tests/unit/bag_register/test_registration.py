"""A location enters a bag's record only with a proof for every file, and never leaves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from bag_register.registration import differences
from bag_register.step import register as step
from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.domain.storage_class import Classes
from common.jobs import Attempt, ReplicaJob
from common.ledger.beginning import begin
from common.ledger.engine import transaction
from common.ledger.settling import settle
from common.ledger.tables import bag_locations, bag_versions, evidence, ingests, replicas, segments
from common.outcome import Done, Outcome, Registered, Rejected, SeenClasses
from common.topology import REGISTERING
from unit.bag_register.builders import PATIENCE, FreeHold, Register, a_bag

B1 = BagVersion.of("digitised", "b1", 1)
FILES = ("bagit.txt", "data/a", "manifest-sha256.txt")


@pytest.mark.parametrize(
    ("planned", "registered", "expected"),
    [
        ({"bagit.txt": "1"}, {"bagit.txt": "1"}, []),
        ({}, {}, ["neither the plan nor the record names a single manifest"]),
        (
            {"bagit.txt": "1", "new": "2"},
            {"bagit.txt": "3", "gone": "4"},
            [
                "bagit.txt had the SHA-256 1 when the copy was planned, the record has 3",
                "gone is in the bag's record and was not there when the copy was planned",
                "new was there when the copy was planned and is not in the bag's record",
            ],
        ),
    ],
)
def test_every_difference_between_plan_and_record_is_told(
    planned: dict[str, str], registered: dict[str, str], expected: list[str]
) -> None:
    assert differences(planned=planned, registered=registered) == expected


def a_whole_replica(register: Register, *, files: int = len(FILES), proofs: tuple[dict[str, Any], ...]) -> int:
    """A replica that waits for registration, with these rows of evidence; its id."""
    register.put(B1, a_bag({"a": b"a"}))
    register.adopt()
    with transaction(register.engine) as connection:
        bag = connection.execute(select(bag_versions)).one()
        ingest_id = uuid4()
        common = {"bag_version_id": bag.id, "source_id": "cold"}
        connection.execute(
            insert(ingests).values(
                id=ingest_id,
                ingest_type="backfill",
                space="digitised",
                external_identifier="b1",
                version=1,
                destination_id="azure",
                status="processing",
                **common,
            )
        )
        replica_id: int = connection.execute(
            insert(replicas)
            .values(
                location_id="azure",
                ingest_id=ingest_id,
                lane="backfill",
                state="registering",
                file_count=files,
                pins=bag.pins,
                **common,
            )
            .returning(replicas.c.id)
        ).scalar_one()
        segment_id = connection.execute(
            insert(segments)
            .values(
                replica_id=replica_id,
                ingest_id=ingest_id,
                number=1,
                state="verified",
                files=[],
                file_count=files,
                bytes=1,
            )
            .returning(segments.c.id)
        ).scalar_one()
        for proof in proofs:
            connection.execute(
                insert(evidence).values(
                    **(_proof(bag.id, ingest_id, segment_id) | proof),
                )
            )
    return replica_id


def _proof(bag_version_id: int, ingest_id: Any, segment_id: int) -> dict[str, Any]:
    return {
        "bag_version_id": bag_version_id,
        "location_id": "azure",
        "ingest_id": ingest_id,
        "segment_id": segment_id,
        "key": "k",
        "outcome": "match",
        "evidence_class": "E3",
        "expected": {},
        "measured": {},
        "bytes": 1,
        "started_at": text("now()"),
        "microseconds": 1,
        "worker": "w",
        "build": "b",
        "attempt": 1,
    }


def test_the_record_learns_in_which_classes_the_copy_s_objects_were_listed() -> None:
    listed = "2026-01-31T09:00:00+00:00"
    location = Location(LocationId("azure"), Provider.AZURE_BLOB, "bags")
    job = ReplicaJob(
        replica_id=1,
        ingest_id=uuid4(),
        bag=B1,
        source=location,
        destination=location,
        attempt=Attempt(1, "w", "b"),
        hold=FreeHold(),
        registered_pins={"bagit.txt": "1"},
        planned_pins={"bagit.txt": "1"},
        progress={"classes": {"Cool": [3, 9]}, "listed": listed},
    )

    outcome = step(job)

    assert isinstance(outcome, Done)
    assert outcome.writes[1] == SeenClasses(location.id, Classes({"Cool": [3, 9]}), datetime.fromisoformat(listed))


ALL = tuple({"path": path} for path in FILES)


def register_it(register: Register, replica_id: int, outcome: Outcome | None = None) -> Outcome:
    with transaction(register.engine) as connection:
        begun = begin(connection, stage=REGISTERING, row_id=replica_id, worker="w", patience=PATIENCE)
    assert begun is not None
    decided = outcome or step(begun.job(hold=FreeHold(), build="test"))
    with transaction(register.engine) as connection:
        settle(connection, begun.claim, decided, patience=PATIENCE, build="test")
    return decided


def places(register: Register) -> list[tuple[str, str, str]]:
    return [(row["location_id"], row["role"], row["evidence_class"]) for row in register.rows(bag_locations)]


def revision(register: Register) -> int:
    return int(register.rows(bag_versions)[0]["revision"])


def test_a_proven_replica_enters_the_record_and_ends_its_ingest(register: Register) -> None:
    replica_id = a_whole_replica(register, proofs=ALL)
    assert register_it(register, replica_id) == Done(
        said="", writes=(Registered(bag=B1),), detail={"location": "azure"}
    )
    assert sorted(places(register)) == [("azure", "replica", "E3"), ("cold", "primary", "E1")]
    assert (revision(register), register.rows(ingests)[0]["status"]) == (2, "succeeded")


@pytest.mark.parametrize(
    "proofs",
    [
        (),
        ALL[:2],
        (*ALL[:2], ALL[0]),
        (*ALL[:2], ALL[2] | {"outcome": "mismatch"}),
        (*ALL[:2], ALL[2] | {"outcome": "missing"}),
        (*ALL[:2], ALL[2] | {"evidence_class": "E2"}),
        (*ALL[:2], ALL[2] | {"location_id": "cold"}),
        (*ALL, {"path": "data/extra"}),
    ],
    ids=[
        "none",
        "too few",
        "one twice",
        "a mismatch",
        "one missing",
        "weaker proof",
        "proof of another place",
        "extra",
    ],
)
def test_without_exactly_one_proof_for_each_file_nothing_is_registered(
    register: Register, proofs: tuple[dict[str, Any], ...]
) -> None:
    replica_id = a_whole_replica(register, proofs=proofs)
    with pytest.raises(RuntimeError, match=r"is not registered: \d of 3 files are proven"):
        register_it(register, replica_id)
    assert (places(register), revision(register)) == ([("cold", "primary", "E1")], 1)
    assert register.rows(ingests)[0]["status"] == "processing"


def test_a_replica_without_files_is_never_registered(register: Register) -> None:
    replica_id = a_whole_replica(register, files=0, proofs=())
    with pytest.raises(RuntimeError, match="0 of 0"):
        register_it(register, replica_id)


def test_another_bag_than_the_registered_one_is_rejected(register: Register) -> None:
    replica_id = a_whole_replica(register, proofs=ALL)
    with transaction(register.engine) as connection:
        connection.execute(replicas.update().values(pins={"bagit.txt": "f" * 64}))
    outcome = register_it(register, replica_id)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "manifest_changed"
    (ingest,) = register.rows(ingests)
    assert (ingest["status"], ingest["error_code"], places(register)) == (
        "failed",
        "manifest_changed",
        [("cold", "primary", "E1")],
    )


def test_a_plan_without_manifests_is_rejected_whatever_the_record_says() -> None:
    place = Location(LocationId("cold"), Provider.MEMORY, "b")
    outcome = step(
        ReplicaJob(
            replica_id=1,
            ingest_id=uuid4(),
            bag=B1,
            source=place,
            destination=place,
            attempt=Attempt(1, "w", "b"),
            hold=FreeHold(),
            registered_pins={},
        )
    )
    assert isinstance(outcome, Rejected)


STATEMENTS = (
    "DELETE FROM bag_versions",
    "DELETE FROM bag_locations",
    "UPDATE bag_versions SET pins = '{}', revision = revision + 1",
    "UPDATE bag_versions SET files_sha256 = 'x', revision = revision + 1",
    "UPDATE bag_versions SET created_date = now(), revision = revision + 1",
    "UPDATE bag_versions SET revision = revision - 1",
    "UPDATE bag_locations SET location_id = 'azure'",
    "UPDATE bag_locations SET role = 'replica'",
    "UPDATE bag_locations SET evidence_class = 'E0'",
    "INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role) "
    "SELECT id, 'azure', 'E3', 'primary' FROM bag_versions",
)


def test_the_database_itself_keeps_what_is_registered(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    register.adopt()
    before = register.rows(bag_versions), register.rows(bag_locations)
    for statement in STATEMENTS:
        with pytest.raises(DBAPIError), transaction(register.engine) as connection:
            connection.execute(text(statement))
    assert (register.rows(bag_versions), register.rows(bag_locations)) == before
