"""Many who add locations to one bag version at the same moment, each over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from common.domain.bag import BagVersion
from common.domain.replica import EvidenceClass
from common.ledger import adopting
from common.ledger.beginning import begin
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.ledger.settling import settle
from common.ledger.tables import bag_locations, bag_versions, evidence, ingests, replicas, segments
from common.topology import REGISTERING
from unit.bag_register.builders import PATIENCE, FreeHold, Register, a_bag, in_memory
from unit.bag_register.test_registration import ALL, _proof

B1 = BagVersion.of("digitised", "b1", 1)
PLACES = [f"place-{number}" for number in range(8)]


def a_replica(connection: Connection, bag: Any, place: str) -> int:
    """Copied to `place` and proven there; it waits to be registered."""
    ingest_id = uuid4()
    common = {"bag_version_id": bag.id, "source_id": "cold"}
    named = {"space": bag.space, "external_identifier": bag.external_identifier, "version": bag.version}
    facts = {"id": ingest_id, "ingest_type": "backfill", "destination_id": place, "status": "processing"}
    connection.execute(insert(ingests).values(**facts, **named, **common))
    state = {"lane": "backfill", "state": "registering", "file_count": len(ALL), "pins": bag.pins}
    made = insert(replicas).values(location_id=place, ingest_id=ingest_id, **state, **common)
    replica_id: int = connection.execute(made.returning(replicas.c.id)).scalar_one()
    part = {"number": 1, "state": "verified", "files": [], "file_count": len(ALL), "bytes": 1}
    one = insert(segments).values(replica_id=replica_id, ingest_id=ingest_id, **part).returning(segments.c.id)
    segment_id = connection.execute(one).scalar_one()
    for proof in ALL:
        connection.execute(
            insert(evidence).values(**(_proof(bag.id, ingest_id, segment_id) | proof | {"location_id": place}))
        )
    return replica_id


def registering(register: Register, replica_id: int) -> Callable[[], None]:
    """The register's own step, as its worker runs it."""
    with transaction(register.engine) as connection:
        begun = begin(connection, stage=REGISTERING, row_id=replica_id, worker="w", patience=PATIENCE)
    assert begun is not None
    outcome = register.steps[REGISTERING](begun.job(hold=FreeHold(), build="test"))

    def commit() -> None:
        with transaction(register.engine) as connection:
            settle(connection, begun.claim, outcome, patience=PATIENCE, build="test")

    return commit


def listing(register: Register, place: str) -> Callable[[], None]:
    """An import that finds the copy there too."""

    def commit() -> None:
        with transaction(register.engine) as connection:
            adopting.add_copies(connection, location_id=place, copies={B1: EvidenceClass.SIZED})

    return commit


def the_bag(register: Register) -> dict[str, Any]:
    (row,) = register.rows(bag_versions)
    return row


def test_sixteen_registers_at_once_add_every_location_once_and_change_nothing_else(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    register.adopt()
    with transaction(register.engine) as connection:
        for place in PLACES:
            announce(connection, in_memory(place).location)
        bag = connection.execute(select(bag_versions)).one()
        # Six are registered by a backfill and listed by an import; the other two are listed by two imports.
        backfilled = [a_replica(connection, bag, place) for place in PLACES[:6]]
    before = the_bag(register)
    everybody = [
        *(registering(register, replica) for replica in backfilled),
        *(listing(register, place) for place in PLACES),
        *(listing(register, place) for place in PLACES[6:]),
    ]
    start = Barrier(len(everybody))

    def at_once(commit: Callable[[], None]) -> None:
        start.wait(timeout=30)
        commit()

    with ThreadPoolExecutor(max_workers=len(everybody)) as pool:
        for done in [pool.submit(at_once, one) for one in everybody]:
            done.result(timeout=60)

    assert len(everybody) == 16
    copies = register.rows(bag_locations)
    assert sorted(copy["location_id"] for copy in copies) == ["cold", *PLACES]
    assert [copy["location_id"] for copy in copies if copy["role"] == "primary"] == ["cold"]
    assert the_bag(register) == before | {"revision": 1 + len(PLACES)}
