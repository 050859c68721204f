"""Restore requests of a process keep to the rate that all processes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from common.adapters.objects.wrappers.pacing import PacedColdStore
from common.errors import Throttled
from common.ledger.restore_rates import Turns, recovered
from common.ports import Restore, Tier


@dataclass
class Time:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Shared:
    """One row of the ledger, as a process sees it."""

    time: Time
    rate: float = 500.0
    next: float = 0.0
    taken: list[int] = field(default_factory=list)

    def take(self, turns: int) -> Turns:
        self.taken.append(turns)
        start = max(self.next, self.time())
        self.next = start + turns / self.rate
        return Turns(start - self.time(), self.rate)

    def slow_down(self) -> None:
        self.rate /= 2


@dataclass
class Store:
    time: Time
    asked: list[float] = field(default_factory=list)
    refuse: int = 0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def restore(self, **_: object) -> Restore:
        if self.refuse:
            self.refuse -= 1
            raise Throttled("SlowDown")
        self.asked.append(self.time())
        return Restore.ACCEPTED


def ask(store: PacedColdStore) -> Restore:
    return store.restore(key="k", version_id=None, days=1, tier=Tier.BULK)


def test_no_second_has_more_requests_than_the_rate_and_few_turns_are_asked_for() -> None:
    time = Time()
    shared, store = Shared(time, rate=100), Store(time)
    paced = PacedColdStore(store, shared, clock=time, sleep=time.sleep)

    for _ in range(500):
        ask(paced)

    assert store.asked[-1] - store.asked[0] == pytest.approx(4.99)
    assert max(shared.taken) == 10
    assert len(shared.taken) < 60


def test_turns_that_an_idle_process_left_unused_do_not_come_all_at_once() -> None:
    time = Time()
    shared, store = Shared(time, rate=100), Store(time)
    paced = PacedColdStore(store, shared, clock=time, sleep=time.sleep)
    for _ in range(20):
        ask(paced)
    time.now += 60
    began = time.now

    for _ in range(30):
        ask(paced)

    assert time.now - began == pytest.approx(0.29)


def test_pitfall_13_a_store_that_asks_for_less_lowers_the_rate() -> None:
    time = Time()
    shared, store = Shared(time, rate=100), Store(time, refuse=1)
    paced = PacedColdStore(store, shared, clock=time, sleep=time.sleep)

    with pytest.raises(Throttled):
        ask(paced)
    for _ in range(51):
        ask(paced)

    assert store.asked[-1] - store.asked[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("since", "rate"), [(0, 250), (60, 300), (300, 500), (9999, 500)])
def test_a_rate_that_was_lowered_recovers_in_ten_minutes(since: float, rate: float) -> None:
    assert recovered(250, since, 500) == rate
