"""The rate of restore requests in the ledger."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from common.ledger import restore_rates
from common.ledger.engine import transaction
from common.ledger.restore_rates import Turns


def take(engine: Engine, turns: int, *, account: str = "a") -> Turns:
    with transaction(engine) as connection:
        return restore_rates.take(connection, account=account, ceiling=500, turns=turns)


def slow_down(engine: Engine) -> float:
    with transaction(engine) as connection:
        return restore_rates.slow_down(connection, account="a", ceiling=500)


def test_turns_of_all_processes_stand_in_one_line_for_each_account(engine: Engine) -> None:
    first, second, other = take(engine, 5000), take(engine, 50), take(engine, 50, account="b")

    assert first == Turns(0, 500)
    assert second.wait == pytest.approx(10, abs=1)
    assert other == Turns(0, 500)


def test_pitfall_13_many_refusals_at_once_halve_the_rate_once(engine: Engine) -> None:
    rates = [slow_down(engine) for _ in range(5)]
    with transaction(engine) as connection:
        connection.execute(text("UPDATE restore_rates SET lowered_at = lowered_at - interval '2 seconds'"))

    assert rates == [pytest.approx(250, abs=1)] * 5
    assert slow_down(engine) == pytest.approx(126, abs=1)
    assert take(engine, 1).rate == pytest.approx(126, abs=1)


def test_a_store_that_never_stops_refusing_is_asked_once_a_second(engine: Engine) -> None:
    for _ in range(20):
        slow_down(engine)
        with transaction(engine) as connection:
            connection.execute(text("UPDATE restore_rates SET lowered_at = lowered_at - interval '1 second'"))

    assert take(engine, 1).rate < 4
