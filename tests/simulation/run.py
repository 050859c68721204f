"""One seed: a world, its faults, and what the checkers say of it."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import structlog

from common.adapters.objects.memory import MemoryBucket
from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.ledger.adopting import NewBag, enter
from common.ledger.locations import announce
from common.ports import ObjectInfo
from invariants import Violation, Watch
from simulation import judging
from simulation.broker import SimulatedBroker
from simulation.decisions import EVENTS, Decisions, Fault, Question, Script, swarm
from simulation.fleet import Fleet
from simulation.ledger import After, Ledger
from simulation.misfortunes import Misfortunes
from simulation.notifying import Callees
from simulation.people import People
from simulation.places import Place
from simulation.shapes import COLD, HOUR, Bag, Shape, draw
from simulation.world import Process, Restless, World


@dataclass(slots=True)
class Result:
    """What became of one seed."""

    seed: int
    violations: list[Violation]
    injected: dict[int, tuple[str, Fault]]
    questions: list[Question]
    asked: int
    kills: int
    switches: int
    seconds: float
    """Virtual ones."""
    done: Counter[str] = field(default_factory=Counter)
    """Kind of fault → how often it happened."""
    ends: Counter[str] = field(default_factory=Counter)
    """How the ingests ended: "succeeded" or their error code."""


_loud: list[str] = []


def _note_errors(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
    if level in ("error", "exception", "critical"):
        error = event.get("exc_info")
        _loud.append(f"{event.get('event')} {event.get('outcome', '')} {event.get('stage', '')} {error!r}")
        if error:
            _loud[-1] += traceback.format_exc()
    raise structlog.DropEvent


def quieten() -> None:
    """Logs go nowhere; what is logged as an error is a finding."""
    structlog.configure(
        processors=[_note_errors],
        wrapper_class=structlog.make_filtering_bound_logger(40),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )


class Simulation:
    """One seed's world. Made, run, and thrown away."""

    def __init__(
        self,
        seed: int,
        ledger: Ledger,
        *,
        shape: Shape | None = None,
        favours: Mapping[str, float] | None = None,
        script: Script | None = None,
        quiet: bool = False,
        trace: Callable[[str], None] | None = None,
        keep_questions: bool = False,
        parting: Callable[[Decisions], None] | None = None,
    ) -> None:
        """`favours`: rates in place of those that the seed draws. `parting`: see Decisions."""
        chance = Random(f"faults {seed}")
        rates: dict[str, float] = {} if quiet else swarm(chance)
        if rates or favours:
            rates |= EVENTS | dict(favours or {})
            rates["kill_after"] = rates["kill_after_commit"] = rates.get("kill", 0.0)
        self.seed = seed
        self.shape = shape or draw(seed)
        self.decisions = Decisions(chance, rates, script, inside=lambda: ledger.inside, parting=parting)
        self.decisions.questions = [] if keep_questions else None
        self.world = World(self.decisions, Random(f"time {seed}"), haste=self.shape.haste, trace=trace)
        self.ledger = ledger
        self.violations: list[Violation] = []
        self.broker = SimulatedBroker(self.world)
        clock = lambda: self.world.clock  # noqa: E731
        self.places = {
            location.id: Place(location, self.world, MemoryBucket(clock=clock), self.shape.limits, seed % 2 == 0)
            for location in (COLD, *self.shape.destinations)
        }
        self.stuck: list[Any] = []
        self.fleet = Fleet(
            self.world,
            self.shape,
            ledger,
            self.broker,
            self.places,
            self._committed,
            self._crashed,
            self.stuck.append,
        )
        if self.shape.callback_url:
            self.fleet.notify = Callees(self.world, ledger, self.violations).notify
        self.people = People(self.world, self.shape, self.fleet, seed)
        self._open = True

    def run(self) -> Result:
        _loud.clear()
        self._set_up()
        self.watch = Watch(
            self.ledger.raw,
            {name.value: place for name, place in self.places.items()},
            trail_from=self.ledger.seen,
            only=self._bags(),
        )
        try:
            self._live()
        except Restless as error:
            self.violations.append(Violation("L1", f"seed {self.seed}", str(error)))
        self._end()
        self.world.close()
        return self._result()

    def _live(self) -> None:
        self.fleet.start()
        self.people.begin()
        Misfortunes(self.people).begin()
        self.world.run(until=lambda: self._settled() or bool(self.violations), deadline=self.shape.horizon)
        if not self.violations:
            self._calm()

    def _set_up(self) -> None:
        self.ledger.begin(now=self.world.clock.isoformat(), name="setting up")
        for place in self.places.values():
            announce(self.ledger.connection, place.location)
        for bag in self.shape.bags:
            for item in bag.objects:
                tier = "ARCHIVE_ACCESS" if item.storage_class == "INTELLIGENT_TIERING" else None
                facts = ObjectInfo(key=item.key, size=0, etag="", storage_class=item.storage_class, archive_status=tier)
                self.places[COLD.id].bucket.put(facts, item.data)
        enter(self.ledger.connection, [_record(bag) for bag in self.shape.bags])
        self.ledger.commit()

    def _bags(self) -> set[int]:
        names = [bag.version.external_identifier.value for bag in self.shape.bags]
        rows = self.ledger.raw.execute("SELECT id FROM bag_versions WHERE external_identifier = ANY(%s)", (names,))
        return {row[0] for row in rows}

    def _settled(self) -> bool:
        return not self._open and not self.people.busy

    def _calm(self) -> None:
        """Nothing goes wrong any more; everything must come to its end."""
        self.world.say("calm")
        self.decisions.calm = True
        now = self.world.now
        self.fleet.ledger_down_until = self.broker.down_until = now
        for place in self.places.values():
            place.down_until = place.denied_until = now
        for thaw in self.stuck:
            thaw.done_at = self.world.clock
        self.world.run(until=lambda: self._settled() or bool(self.violations), deadline=now + self._patience())
        if self.violations:
            return
        for wanted in self._worth_a_retry():
            self.people.ask(wanted, after=0.0)
            self.mended.append(wanted)
        self._open = self._open or bool(self.mended)
        self.world.run(
            until=lambda: self._settled() or bool(self.violations), deadline=self.world.now + self._patience()
        )
        idle = self.world.now + HOUR
        self.world.run(until=lambda: bool(self.violations), deadline=idle)

    def _patience(self) -> float:
        """How long everything may take when nothing goes wrong any more, seconds: a thaw, back-offs and a margin."""
        return 6 * 24 * HOUR if self.shape.frozen or self.decisions.happened("source_freezes") else 6 * HOUR

    mended: list[Any]

    def _worth_a_retry(self) -> list[Any]:
        self.mended = []
        if self.decisions.happened("flip_on_write", "copy_rots", "stray_object"):
            return []
        raw = self.ledger.raw
        found = []
        for bag in self.shape.bags:
            for destination in self.shape.destinations:
                there = raw.execute(
                    "SELECT EXISTS (SELECT FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id WHERE"
                    " b.external_identifier = %s AND bl.location_id = %s)",
                    (bag.version.external_identifier.value, destination.id.value),
                ).fetchone()[0]
                if not there and bag.version.path not in self.people.damaged:
                    found.append((bag, destination))
        return found

    def _end(self) -> None:
        self.world.ended = True
        if self.violations:
            return
        self.ledger.tell_time(self.world.clock.isoformat())
        self.violations += self.watch.everything(at_rest=True)
        self.violations += judging.unexplained(self.ledger.raw, self.decisions, bags=self._bags())
        self.violations += judging.recopied(self.places, self.places[COLD.id])
        for bag, destination in self.mended:
            if (bag, destination) in self._worth_a_retry():
                told = f"asked again for {destination.id} when all was well, and it did not succeed"
                self.violations.append(Violation("A2", bag.version.path, told))

    def _committed(self, after: After, process: Process) -> None:
        self._open = after.open_ingests
        for change in after.changes:
            self.world.say(f"{change.kind} {change.row_id} {change.was} -> {change.now_is} {change.fence or ''}")
            if change.kind == "ingests" and change.now_is == "failed":
                self._failed(change.row_id)
        self.violations += self.watch.look(after.changes)
        self.violations += [Violation("X1", process.name, told) for told in _loud]
        _loud.clear()
        if after.hints:
            self.fleet.hints_wait()
        if after.callback is not None:
            self.fleet.callbacks_wait(after.callback)
        if after.open_ingests and not process.name.startswith("housekeeper"):
            self.fleet.rows_wait()
        for violation in self.violations:
            self.world.say(f"VIOLATION {violation}")

    def _failed(self, ingest_id: str) -> None:
        bag, destination = self.ledger.raw.execute(
            "SELECT external_identifier, destination_id FROM ingests WHERE id = %s", (ingest_id,)
        ).fetchone()
        wanted = next(
            (b, d)
            for b in self.shape.bags
            for d in self.shape.destinations
            if (b.version.external_identifier.value, d.id.value) == (bag, destination)
        )
        self.people.failed((bag, destination), wanted, UUID(ingest_id))

    def _crashed(self, process: Process, error: Exception) -> None:
        told = "".join(traceback.format_exception(error))
        self.violations.append(Violation("X2", process.name, f"a thread ended: {told}"))

    def _result(self) -> Result:
        ends = self.ledger.raw.execute(
            "SELECT coalesce(error_code, status), count(*) FROM ingests WHERE external_identifier = ANY(%s) GROUP BY 1",
            ([bag.version.external_identifier.value for bag in self.shape.bags],),
        ).fetchall()
        return Result(
            self.seed,
            self.violations,
            self.decisions.injected,
            self.decisions.questions or [],
            self.decisions.asked,
            self.world.kills,
            self.world.switches,
            self.world.now,
            self.decisions.done,
            Counter(dict(ends)),
        )


def _record(bag: Bag) -> NewBag:
    tags = {item.key.removeprefix(f"{bag.version.path}/"): item.data for item in bag.objects if item.tag}
    return NewBag(
        bag=bag.version,
        location_id=COLD.id.value,
        evidence_class=EvidenceClass.SIZED,
        info={},
        algorithm=Algorithm.SHA256,
        file_count=len(bag.objects),
        bytes=sum(len(item.data) for item in bag.objects),
        pins={path: hashlib.sha256(data).hexdigest() for path, data in tags.items()},
        depends_on=[],
        files_key="none",
        files_sha256="none",
    )
