"""Bytes per second: the budget of every window is kept, whatever is transferred and however the rate changes."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.adapters.objects.wrappers.pace import LONGEST_NAP, Pace
from unit.common.adapters.objects.timeline import Timeline

TRANSFERS = st.lists(
    st.tuples(st.integers(min_value=0, max_value=5_000), st.floats(min_value=0, max_value=20)), min_size=1, max_size=40
)
"""Sizes, and seconds that pass before each."""


@given(TRANSFERS, st.floats(min_value=50, max_value=5_000))
def test_no_window_lets_more_through_than_its_rate_and_one_transfer(
    transfers: list[tuple[int, float]], rate: float
) -> None:
    timeline = Timeline()
    pace = Pace(lambda: rate, timeline, timeline.sleep)
    began: list[tuple[float, int]] = []

    for size, idle in transfers:
        timeline.now += idle
        pace.spend(size)
        began.append((timeline.now, size))

    for first, (start, _) in enumerate(began):
        for last in range(first, len(began)):
            window = began[first : last + 1]
            burst = max(size for _, size in window)
            allowed = rate * (began[last][0] - start) + burst
            assert sum(size for _, size in window) <= allowed + len(window)


@given(TRANSFERS)
def test_nothing_waits_where_nothing_is_limited(transfers: list[tuple[int, float]]) -> None:
    timeline = Timeline()
    pace = Pace(lambda: inf, timeline, timeline.sleep)

    for size, _ in transfers:
        pace.spend(size)

    assert timeline.naps == []


@given(TRANSFERS, st.floats(min_value=50, max_value=5_000))
def test_all_that_is_asked_for_passes_in_the_time_it_needs(transfers: list[tuple[int, float]], rate: float) -> None:
    timeline = Timeline()
    pace = Pace(lambda: rate, timeline, timeline.sleep)

    for size, _ in transfers:
        pace.spend(size)

    assert timeline.now == pytest.approx(sum(size for size, _ in transfers[:-1]) / rate, abs=len(transfers) / rate)


def test_a_rate_that_ends_is_noticed_by_who_waits() -> None:
    timeline = Timeline()
    pace = Pace(lambda: 1 if timeline.now < 100 else inf, timeline, timeline.sleep)

    pace.spend(1_000_000)
    pace.spend(1)

    assert 100 <= timeline.now <= 100 + 2 * LONGEST_NAP


def test_a_rate_that_begins_holds_at_once() -> None:
    timeline = Timeline()
    pace = Pace(lambda: inf if timeline.now < 100 else 10, timeline, timeline.sleep)
    pace.spend(10**9)
    timeline.now = 100

    pace.spend(100)
    pace.spend(100)

    assert timeline.now == pytest.approx(110)
