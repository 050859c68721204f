"""What is done once in a while is done by one of many processes, and by another where that one is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, text, update

from common.ledger.engine import reading, transaction
from common.ledger.upkeep import take_turn
from common.ledger.upkeep_tables import upkeep_turns

MINUTE = timedelta(minutes=1)


def turn(engine: Engine, task: str = "look") -> bool:
    with reading(engine) as connection:
        return take_turn(connection, task=task, every=MINUTE)


def moved(engine: Engine, by: str) -> None:
    with transaction(engine) as connection:
        connection.execute(update(upkeep_turns).values(taken_at=func.clock_timestamp() + text(f"interval '{by}'")))


def test_of_many_who_ask_at_once_one_gets_the_turn(engine: Engine) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: turn(engine), range(8))) == 1
        moved(engine, "-61 seconds")


def test_a_turn_lasts_for_the_time_that_was_said_whoever_took_it(engine: Engine) -> None:
    first, second = turn(engine), turn(engine)
    moved(engine, "-59 seconds")
    early = turn(engine)
    moved(engine, "-61 seconds")

    assert (first, second, early, turn(engine), turn(engine)) == (True, False, False, True, False)


def test_tasks_do_not_share_turns(engine: Engine) -> None:
    assert (turn(engine, "a"), turn(engine, "b"), turn(engine, "a")) == (True, True, False)


@pytest.mark.parametrize("ahead", ["1 minute", "10 years"])
def test_a_turn_that_a_clock_dated_ahead_keeps_nobody_waiting(engine: Engine, ahead: str) -> None:
    turn(engine)
    moved(engine, ahead)

    assert (turn(engine), turn(engine)) == (True, False)
