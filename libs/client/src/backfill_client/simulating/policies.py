"""Who decides what is thawed when: the service's own plan, and two ways in which people begin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from itertools import islice
from typing import TypeAlias

from backfill_client.simulating.inventory import Part
from backfill_client.simulating.world import World
from common.thawing.admission import plan
from common.thawing.budget import Budget
from common.thawing.candidates import Candidate, Snapshot, Usage
from common.thawing.pace import busy_rate

ROUND = timedelta(minutes=15).total_seconds()
"""How often those who wait look; the service's default."""
SAMPLE = timedelta(hours=6).total_seconds()
_HEADS = 1000

Policy: TypeAlias = Callable[[World], None]


def by_plan(budget: Budget) -> Policy:
    """What the bag warmers do."""
    return lambda world: _Planned(world, budget).run()


def all_at_once(days: int) -> Policy:
    """Ask for everything first, then copy; what has frozen again by then is asked for again."""

    def run(world: World) -> None:
        for number in range(len(world.parts)):
            world.ask(number, days=days)
        _finish(world, lambda: _again(world, days))

    return run


def bag_by_bag(days: int) -> Policy:
    """Thaw a bag, copy it, go on with the next."""

    def run(world: World) -> None:
        for numbers in _bags(world.parts):
            for number in numbers:
                world.ask(number, days=days)
            _finish(world, lambda: _again(world, days), ends=False)
        world.sample()

    return run


def _again(world: World, days: int) -> None:
    for number in _taken(world.frozen_again):
        world.ask(number, days=days)


def _finish(world: World, again: Callable[[], None], *, ends: bool = True) -> None:
    """Let time pass until nothing is left to happen."""
    while (due := world.next_event()) is not None or world.frozen_again:
        again()
        upto = world.next_event() if due is None else due
        assert upto is not None
        if len(world.ledger.samples) * SAMPLE <= upto:
            world.sample()
        world.run_until(upto)
    if ends:
        world.sample()


def _bags(parts: list[Part]) -> Iterator[list[int]]:
    by_bag: dict[int, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        by_bag[part.bag].append(number)
    yield from by_bag.values()


def _taken(numbers: list[int]) -> list[int]:
    taken = list(numbers)
    numbers.clear()
    return taken


class _Planned:
    """Rounds of the plan, each on what a look into the ledger would show."""

    def __init__(self, world: World, budget: Budget) -> None:
        self._world, self._budget = world, budget
        self._line = iter(_in_turns(world.parts))
        self._heads: dict[int, Candidate] = {}
        self._day, self._bytes_today, self._requests_today = -1, 0, 0
        self._month, self._cost = "", world.cost

    def run(self) -> None:
        world = self._world
        while True:
            self._look()
            if not self._heads and world.next_event() is None:
                break
            if len(world.ledger.samples) * SAMPLE <= world.now:
                world.sample()
            world.run_until(world.now + ROUND)
            world.prolong()
        world.sample()

    def _look(self) -> None:
        """Decide until nobody more can go."""
        self._refill()
        while self._heads:
            decision = plan(self._snapshot(), self._budget, location="the archive")
            for one in decision.admitted:
                self._admit(one.id, one.days)
            if not decision.admitted or decision.why:
                return
            self._refill()

    def _refill(self) -> None:
        for number in (*_taken(self._world.frozen_again), *islice(self._line, _HEADS - len(self._heads))):
            part, world = self._world.parts[number], self._world
            self._heads[number] = Candidate(
                id=number,
                bag=part.bag,
                campaign=None,
                bytes=part.bytes,
                objects=part.objects,
                span=world.span_of(number),
                since=world.moment,
                cost=world.cost_of(number, days=self._budget.longest_days),
            )

    def _admit(self, number: int, days: int) -> None:
        world, part, one = self._world, self._world.parts[number], self._heads.pop(number)
        self._bytes_today += part.bytes
        self._requests_today += part.objects
        self._cost += one.cost
        world.ask(number, days=days)

    def _snapshot(self) -> Snapshot:
        world = self._world
        return Snapshot(
            now=world.moment,
            zone=UTC,
            waiting=list(self._heads.values()),
            usage=self._usage(),
            copy_rate=busy_rate(world.lately) if world.lately else None,
        )

    def _usage(self) -> Usage:
        world, now = self._world, self._world.moment
        if now.toordinal() != self._day:
            self._day, self._bytes_today, self._requests_today = now.toordinal(), 0, 0
        if f"{now:%Y-%m}" != self._month:
            self._month, self._cost = f"{now:%Y-%m}", type(self._cost)(0)
        return Usage(
            bytes=world.bytes,
            objects=world.objects,
            warm=world.warm,
            due=world.due_soon(),
            bytes_today=self._bytes_today,
            requests_today=self._requests_today,
            cost_this_month=self._cost,
        )


def _in_turns(parts: list[Part]) -> list[int]:
    """The first part of every bag before the second of any, as the ledger has its line."""
    turn: dict[int, int] = defaultdict(int)
    turns = []
    for part in parts:
        turns.append(turn[part.bag])
        turn[part.bag] += 1
    return sorted(range(len(parts)), key=turns.__getitem__)
