"""The plan of a run is the same for the same seed, and has enough of everything."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos.plan import Blow, plan, short


@pytest.mark.parametrize("seed", range(20))
def test_five_minutes_have_enough_of_everything(seed: int) -> None:
    number = Counter(strike.blow for strike in plan(seconds=300, seed=seed))

    assert number[Blow.KILL] >= 150
    assert number[Blow.DATABASE] >= 10
    assert number[Blow.BROKER] >= 10
    assert min(number[blow] for blow in Blow) >= 4


def test_a_long_run_that_struck_too_seldom_says_so() -> None:
    struck = {Blow.KILL: 149, Blow.DATABASE: 10}

    assert short(struck, seconds=300, blows=frozenset(Blow)) == [
        "only 149 of at least 150 times: worker killed (kill -9)",
        "only 0 of at least 10 times: broker crashed (kill -9)",
    ]
    assert short(struck, seconds=300, blows=frozenset({Blow.DATABASE})) == []
    assert short({}, seconds=60, blows=frozenset(Blow)) == []


@pytest.mark.parametrize("seed", range(20))
def test_half_a_minute_has_something_of_everything(seed: int) -> None:
    assert {strike.blow for strike in plan(seconds=30, seed=seed)} == set(Blow)


def test_the_same_seed_is_the_same_plan_and_another_seed_is_another() -> None:
    assert plan(seconds=60, seed=1) == plan(seconds=60, seed=1) != plan(seconds=60, seed=2)


def test_leaving_out_the_broker_changes_nothing_else() -> None:
    whole = plan(seconds=60, seed=1)

    without = plan(seconds=60, seed=1, blows=frozenset(Blow) - {Blow.BROKER})

    assert without == [strike for strike in whole if strike.blow is not Blow.BROKER]


def test_strikes_come_in_order_and_in_time() -> None:
    moments = [strike.at for strike in plan(seconds=60, seed=3)]

    assert moments == sorted(moments)
    assert 0 < moments[0] <= moments[-1] < 60
