"""The gate as the ledger keeps it: budgets for all workers together, and what is known where there is no budget."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from decimal import Decimal
from threading import Barrier
from uuid import UUID

from sqlalchemy import Engine, func, select

from bag_warmer.admissions import House, LedgerGate
from bag_warmer.asking import Sent
from bag_warmer.billing import Billing
from bag_warmer.gate import Errand, Permit
from bag_warmer.wishes import Wish
from common.domain.location import Location, LocationId, Provider
from common.ledger.engine import open_engine, transaction
from common.ledger.thawing.admitting import Terms
from common.ledger.thawing.tables import thaw_admissions, thaw_days
from common.ledger.thawing.watching import Frozen, frozen, watch
from common.ports import ObjectInfo, Restore, Tier
from common.thawing.budget import MOST_EXTENSIONS, Budget
from common.thawing.prices import read_prices
from common.thawing.warmth import Request
from unit.common.ledger.builders import Backfill, a_backfill, some_segments

COLD = Location(LocationId("cold"), Provider.AMAZON_S3, "archive", title="Cold")
MB = 10**6


def a_gate(engine: Engine, budget: Budget | None = None) -> LedgerGate:
    terms = {COLD.id: Terms("cold", "Cold", budget, UTC)} if budget else {}
    return LedgerGate(engine, House(Billing(read_prices(), {COLD.id: "us-east-1"}), terms))


def frozen_rows(engine: Engine, number: int) -> tuple[Backfill, list[int]]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    return backfill, some_segments(engine, backfill, states=["thawing"] * number)


def asks(gate: LedgerGate, ingest_id: UUID, row_id: int, *, objects: int = 5) -> Permit:
    infos = [ObjectInfo(f"{row_id}/{one}", MB, "e", storage_class="GLACIER") for one in range(objects)]
    return gate.admit(Errand("segment", row_id, ingest_id, COLD, None), infos, Wish())


def test_workers_with_connections_of_their_own_never_exceed_the_budget_together(engine: Engine, database: str) -> None:
    """Seven of thirty fit: by bytes eight would, by requests seven."""
    backfill, rows = frozen_rows(engine, 30)
    budget, start = Budget(bytes_in_flight=40 * MB, requests_per_day=37), Barrier(6)

    def worker(mine: Sequence[int]) -> list[Permit]:
        own = open_engine(database, name="warmer")
        try:
            gate = a_gate(own, budget)
            start.wait()
            return [asks(gate, backfill.ingest_id, row) for row in mine]
        finally:
            own.dispose()

    with ThreadPoolExecutor(6) as workers:
        permits = [one for found in workers.map(worker, [rows[n::6] for n in range(6)]) for one in found]

    with transaction(engine) as connection:
        in_flight = thaw_admissions.c.admitted_at.is_not(None)
        held = connection.execute(select(func.count(), func.sum(thaw_admissions.c.bytes)).where(in_flight)).one()
        day = connection.execute(select(thaw_days.c.requests)).scalar_one()
    assert sum(one.held is None for one in permits) == 7
    assert (tuple(held), day) == ((7, 35 * MB), 35)


def test_without_a_budget_nothing_is_held_back_and_the_end_can_be_expected_all_the_same(engine: Engine) -> None:
    backfill, (first, second) = frozen_rows(engine, 2)
    gate = a_gate(engine)

    permits = [asks(gate, backfill.ingest_id, row) for row in (first, second, second)]

    assert permits == [Permit()] * 3
    with transaction(engine) as connection:
        seen = watch(connection, ingest_id=backfill.ingest_id, location="cold")
        rounds = connection.execute(select(thaw_admissions.c.rounds)).scalars().all()
    assert [one.latest for one in seen.thawing] == [timedelta(hours=12)] * 2
    assert (all(one.asked for one in seen.thawing), seen.waiting, rounds) == (True, 0, [1, 1])


def test_when_the_last_can_be_read_is_known_of_those_that_thaw_and_whose_turn_has_come(engine: Engine) -> None:
    (thaws, (row,)), (waits, (first, second)), (rests, _) = (frozen_rows(engine, number) for number in (1, 2, 1))
    asks(a_gate(engine), thaws.ingest_id, row)
    for each in (first, second):
        asks(a_gate(engine, Budget(objects_in_flight=10)), waits.ingest_id, each)

    with transaction(engine) as connection:
        found = frozen(connection, [one.ingest_id for one in (thaws, waits, rests)])
        now = connection.execute(select(func.clock_timestamp())).scalar_one()

    until = found[thaws.ingest_id].readable_at
    assert until is not None
    assert timedelta(hours=11, minutes=50) < until - now < timedelta(hours=12)
    assert found == {thaws.ingest_id: Frozen(1, 0, until), waits.ingest_id: Frozen(2, 1, None)}


def test_how_often_copies_are_prolonged_is_bounded_whoever_asks(engine: Engine) -> None:
    errand = Errand("segment", 1, UUID(int=1), COLD, None)

    def may(gate: LedgerGate) -> list[bool]:
        return [gate.admit(errand, [], Wish()).after(times).may_extend for times in range(5)]

    def first(number: int) -> list[bool]:
        return [times < number for times in range(5)]

    assert may(a_gate(engine)) == first(MOST_EXTENSIONS)
    assert may(a_gate(engine, Budget(most_extensions=1))) == first(1)


def test_what_prolonging_costs_counts_against_the_month_which_may_not_go_on_when_it_is_spent(engine: Engine) -> None:
    backfill, (row,) = frozen_rows(engine, 1)
    errand = Errand("segment", row, backfill.ingest_id, COLD, None)
    gate = a_gate(engine, Budget(cost_per_month=Decimal("0.50")))
    readable = ObjectInfo("large", 10**12, "e", storage_class="GLACIER")
    sent = Sent(readable, Request(Tier.BULK, 7), Restore.ALREADY_RESTORED, Tier.BULK)

    before = gate.admit(errand, [], Wish())
    gate.asked(errand, [sent])
    after = gate.admit(errand, [], Wish())

    with transaction(engine) as connection:
        requests, volume, cost = connection.execute(
            select(thaw_days.c.requests, thaw_days.c.bytes, thaw_days.c.cost)
        ).one()
    assert (before.may_extend, after.may_extend) == (True, False)
    assert (requests, volume) == (1, 0)
    assert cost > Decimal("0.50")
    assert asks(gate, backfill.ingest_id, row).held is not None
