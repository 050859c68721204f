"""Random archives, and what a comparison by hand says of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.bag import BagVersion
from common.domain.coverage import Health
from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.ledger import adopting
from common.ledger.adopting import NewBag
from common.ledger.engine import transaction
from common.ledger.fixity.tables import copy_health, fixity_checks
from common.ledger.requirements.tables import requirements
from common.ledger.tables import bag_locations, bag_versions, ingests, locations, replicas, segments

SPACES = ("born-digital", "digitised", "maps")
OPEN = ("planning", "transferring", "aggregating", "registering")


@dataclass
class Archive:
    """A ledger to which random things happen."""

    engine: Engine
    random: Random
    number: int = 0

    def begin(self) -> None:
        with transaction(self.engine) as connection:
            for name in ("cold", "azure"):
                add_location(connection, name)

    def something_happens(self) -> None:
        what = self.random.choices(
            (self._deposit, self._import, self._begin, self._move, self._fail, self._register, self._read_back,
             self._stall, self._damage, self._require, self._no_longer_require, self._add_location),
            (6, 3, 6, 8, 2, 4, 3, 2, 1, 1, 1, 1),
        )[0]  # fmt: skip
        with transaction(self.engine) as connection:
            what(connection)

    def _deposit(self, connection: Connection) -> None:
        """A few bag versions at once, most with a copy."""
        for _ in range(self.random.randint(1, 4)):
            self.number += 1
            add_bag(connection, self.random.choice(SPACES), self.number, files=self.random.randint(0, 9))
        bags = connection.execute(select(bag_versions.c.id).order_by(bag_versions.c.id.desc()).limit(3)).scalars().all()
        for bag in bags:
            if self.random.random() < 0.7:
                hold(connection, bag, "cold", self.random.choice(("E0", "E1", "E2", "E3")))

    def _import(self, connection: Connection) -> None:
        """What lies at one location, some of which is known; or the further copies of what is known there."""
        place = self._pick(connection, select(locations.c.id)).id
        numbers = sorted({self.random.randint(1, self.number + 3) for _ in range(4)})
        self.number = max(self.number, *numbers)
        bags = {BagVersion.of(SPACES[n % 3], f"i{n}", 1): EvidenceClass.LISTED for n in numbers}
        adopting.enter(
            connection, [NewBag(b, place, e, {}, Algorithm.SHA256, 3, 30, {}, [], "k", "s") for b, e in bags.items()]
        )
        adopting.add_copies(connection, location_id=place, copies=bags)

    def _pick(self, connection: Connection, query: Any) -> Any:
        rows = connection.execute(query).all()
        return self.random.choice(rows) if rows else None

    def _begin(self, connection: Connection) -> None:
        place = self._pick(connection, select(locations.c.id).where(locations.c.id != "cold"))
        bag = self._pick(connection, select(bag_versions.c.id))
        if (
            bag
            and not connection.execute(
                select(replicas.c.id).where(replicas.c.bag_version_id == bag.id, replicas.c.location_id == place.id)
            ).first()
        ):
            add_replica(connection, bag.id, place.id)

    def _move(self, connection: Connection) -> None:
        row = self._pick(connection, select(replicas).where(replicas.c.state.in_([*OPEN, "failed"])))
        if row is None:
            return
        state = OPEN[OPEN.index(row.state) + 1 :][:1] if row.state in OPEN else ["planning"]
        if state:
            connection.execute(update(replicas).where(replicas.c.id == row.id).values(state=state[0]))
        if state and state[0] == "transferring":
            add_segment(connection, row, self.random.choice(("thawing", "copying")))

    def _fail(self, connection: Connection) -> None:
        if row := self._pick(connection, select(replicas).where(replicas.c.state.in_(OPEN))):
            connection.execute(
                update(replicas).where(replicas.c.id == row.id).values(state="failed", error_code="source_vanished")
            )

    def _register(self, connection: Connection) -> None:
        if row := self._pick(connection, select(replicas).where(replicas.c.state == "registering")):
            connection.execute(update(replicas).where(replicas.c.id == row.id).values(state="registered"))
            hold(connection, row.bag_version_id, row.location_id, "E3")

    def _read_back(self, connection: Connection) -> None:
        if row := self._pick(connection, select(bag_locations).where(bag_locations.c.evidence_class < "E3")):
            connection.execute(
                update(bag_locations)
                .where(
                    bag_locations.c.bag_version_id == row.bag_version_id, bag_locations.c.location_id == row.location_id
                )
                .values(evidence_class=self.random.choice(("E2", "E3")))
            )

    def _stall(self, connection: Connection) -> None:
        if row := self._pick(connection, select(replicas).where(replicas.c.state.in_(OPEN))):
            connection.execute(update(replicas).where(replicas.c.id == row.id).values(stalled_at=text("now()")))

    def _damage(self, connection: Connection) -> None:
        """A copy is read again, and is bad; or good after all."""
        if row := self._pick(connection, select(bag_locations)):
            verdict = self.random.choice(("bad", "bad", "good"))
            check = connection.execute(
                insert(fixity_checks)
                .values(
                    bag_version_id=row.bag_version_id,
                    location_id=row.location_id,
                    state="finished",
                    verdict=verdict,
                    asked_by="test",
                )
                .returning(fixity_checks.c.id)
            ).scalar_one()
            values = {"verdict": verdict, "evidence_class": "E3", "check_id": check}
            place = {"bag_version_id": row.bag_version_id, "location_id": row.location_id}
            connection.execute(
                upsert(copy_health)
                .values(**place, **values)
                .on_conflict_do_update(index_elements=list(place), set_=values)
            )

    def _require(self, connection: Connection) -> None:
        place = self._pick(connection, select(locations.c.id))
        space = self.random.choice((None, *SPACES))
        known = select(requirements.c.id).where(
            requirements.c.location_id == place.id, requirements.c.space.is_not_distinct_from(space)
        )
        if connection.execute(known).first() is None:
            connection.execute(insert(requirements).values(location_id=place.id, space=space, created_by="test"))

    def _no_longer_require(self, connection: Connection) -> None:
        if row := self._pick(connection, select(requirements.c.id)):
            connection.execute(requirements.delete().where(requirements.c.id == row.id))

    def _add_location(self, connection: Connection) -> None:
        if connection.execute(select(locations)).rowcount < 5:
            add_location(connection, f"place-{uuid4().hex[:6]}")


def add_location(connection: Connection, name: str) -> None:
    connection.execute(insert(locations).values(id=name, provider="local", bucket=name))


def add_bag(connection: Connection, space: str, number: int, *, files: int = 1) -> int:
    return connection.execute(
        insert(bag_versions)
        .values(
            space=space,
            external_identifier=f"b{number}",
            version=1,
            created_date=text("now()"),
            info={},
            checksum_algorithm="sha256",
            file_count=files,
            bytes=files * 10,
            pins={},
            files_key="k",
            files_sha256="s",
        )
        .returning(bag_versions.c.id)
    ).scalar_one()


def hold(connection: Connection, bag: int, location: str, evidence: str) -> None:
    held = select(bag_locations.c.role).where(bag_locations.c.bag_version_id == bag)
    if connection.execute(held.where(bag_locations.c.location_id == location)).first():
        return
    role = "replica" if connection.execute(held.where(bag_locations.c.role == "primary")).first() else "primary"
    connection.execute(
        insert(bag_locations).values(bag_version_id=bag, location_id=location, evidence_class=evidence, role=role)
    )


def add_replica(connection: Connection, bag: int, location: str, *, state: str = "planning") -> int:
    named = connection.execute(select(bag_versions).where(bag_versions.c.id == bag)).one()
    ingest = uuid4()
    connection.execute(
        insert(ingests).values(
            id=ingest,
            ingest_type="backfill",
            space=named.space,
            external_identifier=named.external_identifier,
            version=named.version,
            bag_version_id=bag,
            source_id="cold",
            destination_id=location,
            status="processing",
        )
    )
    return connection.execute(
        insert(replicas)
        .values(
            bag_version_id=bag, location_id=location, source_id="cold", ingest_id=ingest, lane="backfill", state=state
        )
        .returning(replicas.c.id)
    ).scalar_one()


def add_segment(connection: Connection, replica: Any, state: str) -> None:
    number = connection.execute(
        text("SELECT count(*) + 1 FROM segments WHERE ingest_id = :i"), {"i": replica.ingest_id}
    ).scalar_one()
    connection.execute(
        insert(segments).values(
            replica_id=replica.id,
            ingest_id=replica.ingest_id,
            number=number,
            state=state,
            files=[],
            file_count=0,
            bytes=0,
        )
    )


@dataclass
class ByHand:
    """The whole difference, computed from the tables that are the truth and no others."""

    states: dict[tuple[str, str, str], str]
    """Of (space, external identifier, location)."""
    sums: Counter[tuple[str, str, str]]
    """Bag versions of (space, location, state)."""
    at_risk: Counter[str]
    health: dict[str, Health]


def by_hand(engine: Engine) -> ByHand:
    with transaction(engine) as connection:
        bags = connection.execute(select(bag_versions)).all()
        places = [row.id for row in connection.execute(select(locations.c.id))]
        copies = {(row.bag_version_id, row.location_id): row for row in connection.execute(select(bag_locations))}
        work = {(row.bag_version_id, row.location_id): row for row in connection.execute(select(replicas))}
        thaws = set(connection.execute(select(segments.c.replica_id).where(segments.c.state == "thawing")).scalars())
        bad = {
            (row.bag_version_id, row.location_id)
            for row in connection.execute(select(copy_health).where(copy_health.c.verdict == "bad"))
        }
        stated = [(row.location_id, row.space) for row in connection.execute(select(requirements))]
    states: dict[tuple[str, str, str], str] = {}
    at_risk: Counter[str] = Counter()
    unhealthy: set[str] = set()
    harmed: set[str] = set()
    for bag in bags:
        held = [copies[bag.id, place] for place in places if (bag.id, place) in copies]
        read_back = [copy for copy in held if copy.evidence_class in ("E3", "E4")]
        at_risk[bag.space] += len(held) < 2 or not read_back
        for place in places:
            damaged = (bag.id, place) in bad
            state = "damaged" if damaged else _state(copies.get((bag.id, place)), work.get((bag.id, place)), thaws)
            named = [space for location, space in stated if location == place]
            if state == "missing" and named and None not in named and bag.space not in named:
                state = "not required"
            if state != "verified" and (None in named or bag.space in named):
                unhealthy.add(bag.space)
            if damaged:
                harmed.add(bag.space)
            states[bag.space, bag.external_identifier, place] = state
    sums = Counter((space, place, state) for (space, _, place), state in states.items())
    told = {space: _health(at_risk[space] or space in harmed, space in unhealthy) for space in at_risk}
    return ByHand(states, sums, at_risk, told)


def _health(at_risk: int | bool, lacking: bool) -> Health:
    return Health.AT_RISK if at_risk else Health.DEGRADED if lacking else Health.HEALTHY


def _state(copy: Any, work: Any, thaws: set[int]) -> str:
    if copy is not None:
        return "verified" if copy.evidence_class in ("E3", "E4") else "listed"
    if work is None:
        return "missing"
    if work.state == "failed":
        return "failed"
    if work.stalled_at is not None:
        return "stalled"
    return "waiting for thaw" if work.id in thaws else "in progress"
