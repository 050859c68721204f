"""When an ingest will be done, and how much of it is: promises that can be kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.thawing.expecting import ENOUGH, Observed, Thawing, expected, percent
from unit.common.thawing.builders import GB, NOON

HOUR = timedelta(hours=1)
BULK, DEEP = 12 * HOUR, 48 * HOUR


def test_pitfall_15_a_hundred_percent_is_said_exactly_when_all_is_confirmed() -> None:
    told = [percent(done=done, whole=1000, finished=False) for done in (0, 9, 10, 999, 1000, 5000)]

    assert told == [0, 0, 1, 99, 99, 99]
    assert percent(done=0, whole=0, finished=False) == 0
    assert percent(done=0, whole=0, finished=True) == 100


@given(whole=st.integers(1, 10**15), steps=st.lists(st.integers(0, 10**15), max_size=20))
def test_pitfall_15_what_is_confirmed_only_grows_and_so_does_its_percentage(whole: int, steps: list[int]) -> None:
    told = [percent(done=min(done, whole), whole=whole, finished=False) for done in sorted(steps)]

    assert told == sorted(told)


@pytest.mark.parametrize(
    ("thawing", "end"),
    [
        ((), NOON + HOUR),
        ((Thawing(NOON - 2 * HOUR, BULK),), NOON + 11 * HOUR),
        ((Thawing(NOON - 2 * HOUR, BULK), Thawing(NOON, DEEP)), NOON + 49 * HOUR),
        ((Thawing(NOON - 20 * HOUR, BULK),), NOON + HOUR),
    ],
    ids=["all readable", "by the table", "the slowest decides", "overdue, and never in the past"],
)
def test_the_end_is_an_hour_of_copying_after_the_last_thaw(thawing: tuple[Thawing, ...], end: object) -> None:
    assert expected(now=NOON, thawing=thawing, observed={}, left=GB, rate=GB / 3600) == end


@pytest.mark.parametrize(("seen", "end"), [(ENOUGH - 1, 12), (ENOUGH, 7)])
def test_what_was_observed_often_enough_counts_for_more_than_the_table(seen: int, end: int) -> None:
    thawing = (Thawing(NOON, BULK),)
    observed = {BULK: Observed(seen, 7 * HOUR), DEEP: Observed(100, HOUR)}

    assert expected(now=NOON, thawing=thawing, observed=observed, left=0, rate=1.0) == NOON + end * HOUR


@pytest.mark.parametrize(("rate", "asked"), [(None, NOON), (1.0, None)], ids=["no rate", "not its turn yet"])
def test_what_nobody_can_know_is_not_told(rate: float | None, asked: object) -> None:
    thawing = (Thawing(asked, BULK),)  # type: ignore[arg-type]

    assert expected(now=NOON, thawing=thawing, observed={}, left=1, rate=rate) is None
