"""Those around the system: a campaign that asks, an operator who asks again, a curator and rot that spoil things."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

from common.domain.location import Location
from common.errors import LedgerUnavailable
from common.ledger.bags import find_bag
from common.ledger.engine import transaction
from common.ledger.requesting import Wish, request_backfill
from common.ports import ObjectInfo
from simulation.decisions import EVENTS, Fault
from simulation.fleet import Fleet
from simulation.shapes import COLD, HOUR, Bag, Shape, another
from simulation.stores import Place, rewrite, rot
from simulation.world import World

Wanted = tuple[Bag, Location]


@dataclass(eq=False)
class People:
    """Everybody outside."""

    world: World
    shape: Shape
    fleet: Fleet
    seed: int = 0
    busy: int = 0
    """Requests that are being made or will be."""
    asked: dict[str, Wanted] = field(default_factory=dict)
    """Ingest id → what it is to bring about."""
    retried: dict[tuple[str, str], int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    """Names of bags whose source or copies are spoilt for good, in a way that no retry can mend."""
    _ids: int = 0

    def begin(self) -> None:
        """The campaign asks for every bag everywhere, and the seed's misfortunes are set in motion."""
        for number, wanted in enumerate(self._everything()):
            self.ask(wanted, after=number * 0.5)
        for kind in EVENTS:
            fault = self.world.decisions.ask(f"fate: {kind}", (kind,))
            if fault:
                when = 0.01 * (self.shape.horizon / 0.01) ** Random(fault.value).random()
                self.world.at(when, lambda fault=fault: self._happens(fault))

    def ask(self, wanted: Wanted, *, after: float) -> None:
        """Somebody calls the API, and again until it answers; another process of the API, where one dies."""
        self.busy += 1
        answered: list[bool] = []

        def again() -> None:
            self.busy -= 1
            if not answered:
                self.ask(wanted, after=0.0)

        process = self.fleet.process("ingests_api", again)
        engine = self.fleet.engine(process)

        def run() -> None:
            self.world.sleep(after)
            while not answered:
                try:
                    self._request(engine, wanted)
                    answered.append(True)
                except LedgerUnavailable:
                    self.world.sleep(5.0)
            process.end()

        self.world.start(process, "request", run)

    def _request(self, engine: Any, wanted: Wanted) -> None:
        bag, destination = wanted
        self._ids += 1
        new_id = UUID(int=(self.seed << 32) + self._ids)
        with transaction(engine) as connection:
            record = find_bag(
                connection,
                space=bag.version.space,
                external_identifier=bag.version.external_identifier,
                version=bag.version.version,
            )
            assert record is not None
            wish = Wish(bag=record, source=COLD, destination=destination, options={})
            request_backfill(connection, wish=wish, ingest_id=new_id)

    def failed(self, key: tuple[str, str], wanted: Wanted) -> None:
        """An ingest has failed: the operator asks again, a few times, minutes or hours later."""
        times = self.retried.get(key, 0)
        if times < self.shape.retries and not self.world.decisions.calm:
            self.retried[key] = times + 1
            self.ask(wanted, after=60 + self.world.random.random() ** 3 * 6 * HOUR)

    def _everything(self) -> list[Wanted]:
        return [(bag, destination) for bag in self.shape.bags for destination in self.shape.destinations]

    def _happens(self, fault: Fault) -> None:
        if self.world.decisions.calm:
            return
        self.world.say(f"! {fault.kind}")
        chance = Random(fault.value + 1)
        getattr(self, f"_{fault.kind}")(chance)

    def _place(self, location: Location) -> Place:
        return self.fleet.places[location.id]

    def _broker_lost(self, chance: Random) -> None:
        self.fleet.broker.lose_everything()

    def _broker_down(self, chance: Random) -> None:
        self.fleet.broker.down_until = self.world.now + chance.random() * HOUR

    def _ledger_down(self, chance: Random) -> None:
        self.fleet.ledger_down_until = self.world.now + chance.random() ** 2 * HOUR

    def _source_down(self, chance: Random) -> None:
        self._place(COLD).down_until = self.world.now + chance.random() ** 3 * HOUR

    def _destination_down(self, chance: Random) -> None:
        self._place(chance.choice(self.shape.destinations)).down_until = self.world.now + chance.random() ** 3 * HOUR

    def _credentials_expire(self, chance: Random) -> None:
        place = self._place(chance.choice((COLD, *self.shape.destinations)))
        place.denied_until = self.world.now + chance.random() * HOUR
        place.denied_to = chance.choice(("bag_warmer", "backfill_replicator", "verifier", "replica_aggregator"))

    def _second_campaign(self, chance: Random) -> None:
        for wanted in self._everything():
            self.ask(wanted, after=chance.random() * 10)

    def _source_key(self, chance: Random) -> tuple[Bag, str]:
        bag = chance.choice(self.shape.bags)
        return bag, chance.choice(bag.payload * 3 + bag.tags)

    def _source_rewritten(self, chance: Random) -> None:
        """Somebody uploads other bytes under the same name."""
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        rewrite(self._place(COLD), key, b"not what it was")

    def _source_replaced(self, chance: Random) -> None:
        """Somebody uploads the same bytes again: another ETag, and nothing is lost."""
        _, key = self._source_key(chance)
        place = self._place(COLD)
        if key in place.bucket.objects:
            rewrite(place, key, place.read(key))

    def _source_rots(self, chance: Random) -> None:
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        rot(self._place(COLD), key, chance.random())

    def _source_deleted(self, chance: Random) -> None:
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        self._place(COLD).bucket.objects.pop(key, None)

    def _source_freezes(self, chance: Random) -> None:
        """A lifecycle rule moves a bag's objects to Glacier."""
        bag = chance.choice(self.shape.bags)
        bucket = self._place(COLD).bucket
        for key in bag.payload if chance.random() < 0.7 else [*bag.payload, *bag.tags]:
            for version in bucket.objects.get(key, ())[-1:]:
                if version.info.storage_class in (None, "STANDARD"):
                    version.info = replace(version.info, storage_class="GLACIER")

    def _other_bag(self, chance: Random) -> None:
        """Another bag, valid in itself, takes the place of the one that was registered."""
        bag = chance.choice(self.shape.bags)
        self.damaged.add(bag.version.path)
        place = self._place(COLD)
        for key in (*bag.payload, *bag.tags):
            place.bucket.objects.pop(key, None)
        for item in another(bag).objects:
            place.bucket.put(_info(item.key), item.data)

    def _copy_rots(self, chance: Random) -> None:
        """A byte of a copy that nobody has read back yet changes at rest."""
        place = self._place(chance.choice(self.shape.destinations))
        read = {r.key for r in place.requests if r.what == "read" and r.by.startswith(("verifier", "replica_agg"))}
        unread = sorted(key for key in place.bucket.objects if key not in read and place.read(key))
        if unread:
            key = chance.choice(unread)
            self.damaged.add(self._bag_of(key))
            rot(place, key, chance.random())

    def _stray_object(self, chance: Random) -> None:
        """Somebody puts an object of their own into the copy."""
        bag, destination = chance.choice(self.shape.bags), chance.choice(self.shape.destinations)
        place = self._place(destination)
        registered = self.fleet.ledger.raw.execute(
            "SELECT EXISTS (SELECT FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id"
            " WHERE b.external_identifier = %s AND bl.location_id = %s)",
            (bag.version.external_identifier.value, destination.id.value),
        ).fetchone()[0]
        listed = any(r.by.startswith("replica_agg") for r in place.requests)
        if not registered and not listed:
            self.damaged.add(bag.version.path)
            place.bucket.put(_info(f"{destination.root(bag.version)}data/stray"), b"stray")

    def _bag_of(self, key: str) -> str:
        return next(bag.version.path for bag in self.shape.bags if f"{bag.version.path}/" in key)


def _info(key: str, storage_class: str | None = None) -> ObjectInfo:
    return ObjectInfo(key=key, size=0, etag="", storage_class=storage_class)
