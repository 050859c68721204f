"""Those around the system: a campaign that asks, and an operator who asks again, cancels, and is impatient."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.domain.location import Location
from common.errors import AlreadyFinished, LedgerUnavailable, NothingToRetry
from common.ledger import operating
from common.ledger.bags import find_bag
from common.ledger.engine import transaction
from common.ledger.operating import Decision, Ending
from common.ledger.requesting import request_backfill
from common.ledger.wishes import Wish
from simulation.fleet import Fleet
from simulation.shapes import COLD, HOUR, Bag, Shape
from simulation.world import World

Wanted = tuple[Bag, Location]
_WILL = Decision(who="operator", why="because")


@dataclass(eq=False)
class People:
    """Everybody who calls the API."""

    world: World
    shape: Shape
    fleet: Fleet
    seed: int = 0
    busy: int = 0
    """Requests that are being made or will be."""
    retried: dict[tuple[str, str], int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    """Names of bags whose source or copies are spoilt for good, in a way that no retry can mend."""
    _ids: int = 0

    def begin(self) -> None:
        """The campaign asks for every bag everywhere."""
        for number, wanted in enumerate(self.everything()):
            self.ask(wanted, after=number * 0.5)

    def everything(self) -> list[Wanted]:
        return [(bag, destination) for bag in self.shape.bags for destination in self.shape.destinations]

    def ask(self, wanted: Wanted, *, after: float) -> None:
        """Ask for a copy."""
        self._call(lambda engine: self._request(engine, wanted), after=after)

    def retry(self, ingest_id: UUID, *, after: float) -> None:
        """Have an ingest go on that failed, or that waits."""

        def run(engine: Any) -> None:
            with suppress(AlreadyFinished, NothingToRetry), transaction(engine) as connection:
                operating.retry(
                    connection,
                    ingest_id=ingest_id,
                    new_id=self._new_id(),
                    decision=_WILL,
                    patience=self.shape.patience,
                )

        self._call(run, after=after)

    def end(self, ingest_id: UUID, ending: Ending) -> None:
        """Cancel an ingest or fail it by hand."""

        def run(engine: Any) -> None:
            with suppress(AlreadyFinished), transaction(engine) as connection:
                operating.end(connection, ingest_id=ingest_id, ending=ending, decision=_WILL)

        self._call(run, after=0.0)

    def failed(self, key: tuple[str, str], wanted: Wanted, ingest_id: UUID) -> None:
        """An ingest has failed: the operator asks for it again, a few times, minutes or hours later."""
        times = self.retried.get(key, 0)
        if times < self.shape.retries and not self.world.decisions.calm:
            self.retried[key] = times + 1
            after = 60 + self.world.random.random() ** 3 * 6 * HOUR
            if times % 2:
                self.ask(wanted, after=after)
            else:
                self.retry(ingest_id, after=after)

    def _call(self, call: Callable[[Any], None], *, after: float) -> None:
        """Somebody calls the API, and again until it answers; another process of the API, where one dies."""
        self.busy += 1
        answered: list[bool] = []

        def again() -> None:
            self.busy -= 1
            if not answered:
                self._call(call, after=0.0)

        process = self.fleet.process("ingests_api", again)
        engine = self.fleet.engine(process)

        def run() -> None:
            self.world.sleep(after)
            while not answered:
                try:
                    call(engine)
                    answered.append(True)
                except LedgerUnavailable:
                    self.world.sleep(5.0)
            process.end()

        self.world.start(process, "request", run)

    def _request(self, engine: Any, wanted: Wanted) -> None:
        bag, destination = wanted
        with transaction(engine) as connection:
            record = find_bag(
                connection,
                space=bag.version.space,
                external_identifier=bag.version.external_identifier,
                version=bag.version.version,
            )
            assert record is not None
            wish = Wish(
                bag=record, source=COLD, destination=destination, options={}, callback_url=self.shape.callback_url
            )
            request_backfill(connection, wish=wish, ingest_id=self._new_id())

    def _new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=(self.seed << 32) + self._ids)
