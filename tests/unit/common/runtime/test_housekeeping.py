"""The relay and the reaper of a process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from sqlalchemy import Engine

from common.ledger import outbox
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.tables import replicas
from common.ledger.upkeep_tables import upkeep_turns
from common.ports import Courier, Delivery
from common.runtime.housekeeping import Relay, reap_in_turn, reaping_period
from common.topology import COPYING, Lane, hint_for
from unit.common.ledger.builders import a_backfill, age, state_of
from unit.common.runtime.workers import Wire, outbox_size, until

QUEUE = COPYING.queue(Lane.BACKFILL)


def post(engine: Engine, *, hints: int) -> None:
    with transaction(engine) as connection:
        for number in range(1, hints + 1):
            outbox.post(connection, stage=COPYING, lane=Lane.BACKFILL, hint=hint_for(COPYING, number))


def relay_of(engine: Engine, wire: Wire, *, idle: float = 60) -> Relay:
    return Relay(engine=engine, open_courier=wire.open, random=Random(1), idle=idle)


class Rounds:
    """Notes when a relay goes to the broker."""

    def __init__(self) -> None:
        self.begun: list[float] = []

    def counted(self, courier: Courier) -> Courier:
        receive = courier.receive

        def noting(queues: Sequence[str], *, wait: float) -> Delivery | None:
            self.begun.append(time.monotonic())
            return receive(queues, wait=wait)

        courier.receive = noting  # type: ignore[method-assign]
        return courier


def test_hints_are_published_in_their_order_as_soon_as_the_relay_is_woken(engine: Engine) -> None:
    wire = Wire()
    relay = relay_of(engine, wire)
    relay.start()
    until(lambda: wire.opened)

    post(engine, hints=250)
    relay.wake()
    until(lambda: wire.waiting == 250)
    relay.stop(timeout=5)

    sent = [held.body for held in wire.broker._queues[QUEUE]]
    assert sent == [hint_for(COPYING, n).model_dump_json().encode() for n in range(1, 251)]
    assert outbox_size(engine) == 0


def test_rounds_keep_their_distance_so_that_hints_of_one_moment_share_one(engine: Engine) -> None:
    wire, rounds = Wire(), Rounds()
    relay = Relay(engine=engine, open_courier=lambda: rounds.counted(wire.open()), random=Random(1), idle=60, rest=0.6)
    began = time.monotonic()
    relay.start()
    for number in range(1, 5):
        post(engine, hints=1)
        relay.wake()
        until(lambda number=number: wire.waiting == number)  # type: ignore[misc]
    relay.stop(timeout=5)

    # Of the whole time, not from round to round: on a machine that stalls it is longer, never shorter, and hints share.
    assert len(rounds.begun) >= 3
    assert time.monotonic() - began > 0.5 * (len(rounds.begun) - 2)


def test_without_a_broker_hints_wait_in_the_outbox_and_none_is_lost(engine: Engine) -> None:
    wire = Wire()
    wire.down.set()
    post(engine, hints=3)
    relay = relay_of(engine, wire, idle=0.01)
    relay.start()
    assert outbox_size(engine) == 3

    wire.down.clear()
    until(lambda: wire.waiting == 3)
    relay.stop(timeout=5)

    assert outbox_size(engine) == 0


def test_a_relay_that_is_stopped_publishes_what_is_there(engine: Engine) -> None:
    wire = Wire()
    relay = relay_of(engine, wire)
    relay.start()
    until(lambda: wire.opened)
    post(engine, hints=5)

    relay.stop(timeout=5)

    assert (wire.waiting, outbox_size(engine)) == (5, 0)


def test_of_many_processes_one_looks_after_all_in_each_period(engine: Engine) -> None:
    backfill, relay = a_backfill(engine), relay_of(engine, Wire())

    def look() -> int:
        age(engine, replicas, due_at="- interval '1 minute'")
        before = outbox_size(engine)
        reap_in_turn(engine=engine, patience=Patience(), relay=relay, every=timedelta(seconds=10))
        return outbox_size(engine) - before

    first, second = look(), look()
    age(engine, upkeep_turns, taken_at="- interval '9 seconds'")

    assert (first, second, look(), look()) == (1, 0, 1, 0)
    assert state_of(engine, replicas, backfill.replica_id) == "planning"


def test_reapers_of_many_processes_spread_out() -> None:
    periods = {reaping_period(timedelta(seconds=10), Random(seed)) for seed in range(20)}

    assert len(periods) == 20
    assert all(10 <= period <= 11 for period in periods)
