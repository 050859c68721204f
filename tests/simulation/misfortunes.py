"""The misfortunes that a seed's fate holds: outages, people who spoil the source, rot, and an operator's will."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from common.domain.location import Location
from common.ledger.operating import CANCEL, FAIL
from common.ports import ObjectInfo
from simulation.decisions import EVENTS, Fault
from simulation.people import People
from simulation.places import Place, rewrite, rot
from simulation.shapes import COLD, HOUR, Bag, another


@dataclass(eq=False)
class Misfortunes:
    """Sets each in motion at its time; those that find nothing to spoil by then did not happen."""

    people: People

    def __post_init__(self) -> None:
        self.world = self.people.world
        self.shape = self.people.shape
        self.fleet = self.people.fleet
        self.damaged = self.people.damaged

    def begin(self) -> None:
        """Draw what will happen, and when: as likely in the first second as in the last day."""
        for kind in EVENTS:
            fault = self.world.decisions.ask(f"fate: {kind}", (kind,))
            if fault:
                when = 0.01 * (self.shape.horizon / 0.01) ** Random(fault.value).random()
                self.world.at(when, lambda fault=fault: self._happens(fault))

    def _happens(self, fault: Fault) -> None:
        if self.world.decisions.calm:
            return
        self.world.say(f"! {fault.kind}")
        chance = Random(fault.value + 1)
        if getattr(self, f"_{fault.kind}")(chance) is not False:
            self.world.decisions.done[fault.kind] += 1

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
        for wanted in self.people.everything():
            self.people.ask(wanted, after=chance.random() * 10)

    def _source_key(self, chance: Random) -> tuple[Bag, str]:
        bag = chance.choice(self.shape.bags)
        return bag, chance.choice(bag.payload * 3 + bag.tags)

    def _source_rewritten(self, chance: Random) -> None:
        """Somebody uploads other bytes under the same name."""
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        rewrite(self._place(COLD), key, b"not what it was")

    def _source_replaced(self, chance: Random) -> bool:
        """Somebody uploads the same bytes again: another ETag, and nothing is lost."""
        _, key = self._source_key(chance)
        place = self._place(COLD)
        if there := key in place.bucket.objects:
            rewrite(place, key, place.read(key))
        return there

    def _source_rots(self, chance: Random) -> None:
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        rot(self._place(COLD), key, chance.random())

    def _source_deleted(self, chance: Random) -> None:
        bag, key = self._source_key(chance)
        self.damaged.add(bag.version.path)
        self._place(COLD).bucket.objects.pop(key, None)

    def _source_freezes(self, chance: Random) -> bool:
        """A lifecycle rule moves a bag's objects to Glacier."""
        moved = False
        bag = chance.choice(self.shape.bags)
        bucket = self._place(COLD).bucket
        for key in bag.payload if chance.random() < 0.7 else [*bag.payload, *bag.tags]:
            for version in bucket.objects.get(key, ())[-1:]:
                if version.info.storage_class in (None, "STANDARD"):
                    version.info = replace(version.info, storage_class="GLACIER")
                    moved = True
        return moved

    def _other_bag(self, chance: Random) -> None:
        """Another bag, valid in itself, takes the place of the one that was registered."""
        bag = chance.choice(self.shape.bags)
        self.damaged.add(bag.version.path)
        place = self._place(COLD)
        for key in (*bag.payload, *bag.tags):
            place.bucket.objects.pop(key, None)
        for item in another(bag).objects:
            place.bucket.put(_info(item.key), item.data)

    def _copy_rots(self, chance: Random) -> bool:
        """A byte of a copy that nobody has read back yet changes at rest."""
        place = self._place(chance.choice(self.shape.destinations))
        read = {r.key for r in place.requests if r.what == "read" and r.by.startswith(("verifier", "replica_agg"))}
        unread = sorted(key for key in place.bucket.objects if key not in read and place.read(key))
        if unread:
            key = chance.choice(unread)
            self.damaged.add(self._bag_of(key))
            rot(place, key, chance.random())
        return bool(unread)

    def _stray_object(self, chance: Random) -> bool:
        """Somebody puts an object of their own into the copy."""
        bag, destination = chance.choice(self.shape.bags), chance.choice(self.shape.destinations)
        place = self._place(destination)
        registered = self.fleet.ledger.raw.execute(
            "SELECT EXISTS (SELECT FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id"
            " WHERE b.external_identifier = %s AND bl.location_id = %s)",
            (bag.version.external_identifier.value, destination.id.value),
        ).fetchone()[0]
        listed = any(r.by.startswith("replica_agg") for r in place.requests)
        if registered or listed:
            return False
        self.damaged.add(bag.version.path)
        place.bucket.put(_info(f"{destination.root(bag.version)}data/stray"), b"stray")
        return True

    def _ingest(self, chance: Random) -> UUID | None:
        """An ingest that has not ended; one that has where all have, and then the operator comes too late."""
        rows = self.fleet.ledger.raw.execute("SELECT id, finished_at FROM ingests ORDER BY id").fetchall()
        running = [row for row in rows if row[1] is None]
        return chance.choice(running or rows)[0] if rows else None

    def _operator_cancels(self, chance: Random) -> bool:
        if ingest := self._ingest(chance):
            self.people.end(ingest, CANCEL)
        return ingest is not None

    def _operator_fails(self, chance: Random) -> bool:
        if ingest := self._ingest(chance):
            self.people.end(ingest, FAIL)
        return ingest is not None

    def _operator_hurries(self, chance: Random) -> bool:
        """Told to go on at once, whatever it waits for."""
        if ingest := self._ingest(chance):
            self.people.retry(ingest, after=0.0)
        return ingest is not None

    def _bag_of(self, key: str) -> str:
        return next(bag.version.path for bag in self.shape.bags if f"{bag.version.path}/" in key)


def _info(key: str, storage_class: str | None = None) -> ObjectInfo:
    return ObjectInfo(key=key, size=0, etag="", storage_class=storage_class)
