"""The limit of requests in flight: half when the store asks for less, one more for every good window."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from common.adapters.objects.wrappers.adaptive import LONGEST_PAUSE, WINDOW, AdaptiveLimit, Change

ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["good", "less"]),
        st.floats(min_value=0, max_value=3),
        st.integers(min_value=0, max_value=300),
        st.none() | st.floats(min_value=0, max_value=1e6),
    ),
    max_size=200,
)
"""What the store says, seconds after the last answer, with so many in flight and this retry-after."""


@given(st.integers(min_value=1, max_value=256), ANSWERS)
def test_it_stays_between_one_and_the_ceiling_and_falls_once_a_window(
    ceiling: int, answers: list[tuple[str, float, int, float | None]]
) -> None:
    limit, now = AdaptiveLimit(ceiling), 0.0
    falls: list[float] = []

    for said, later, in_flight, retry_after in answers:
        now += later
        before = limit.limit
        if said == "good":
            limit.succeeded(now)
            assert before <= limit.limit <= before + 1
        else:
            limit.throttled(now, in_flight=in_flight, retry_after=retry_after)
            assert limit.limit <= before
            assert limit.pause(now) <= LONGEST_PAUSE
            falls += [now] if limit.limit < before else []
        assert 1 <= limit.limit <= ceiling

    assert all(later - earlier >= WINDOW for earlier, later in pairwise(falls))


@given(st.integers(min_value=1, max_value=64), ANSWERS)
def test_it_always_recovers_while_the_store_answers(
    ceiling: int, answers: list[tuple[str, float, int, float | None]]
) -> None:
    limit, now = AdaptiveLimit(ceiling), 0.0
    for said, later, in_flight, retry_after in answers:
        now += later
        if said == "good":
            limit.succeeded(now)
        else:
            limit.throttled(now, in_flight=in_flight, retry_after=retry_after)

    for _ in range(ceiling * (ceiling + 1)):
        now += WINDOW
        limit.succeeded(now)

    assert limit.limit == ceiling


def test_a_day_at_a_busy_store_by_table() -> None:
    limit = AdaptiveLimit(8)
    table = [
        # second, answer, requests in flight, then: change, limit
        (0.0, "good", 8, Change.NONE, 8),
        (1.0, "less", 8, Change.FELL, 4),
        (1.1, "less", 8, Change.NONE, 4),
        (2.0, "less", 4, Change.FELL, 2),
        (2.5, "good", 2, Change.NONE, 2),
        (2.6, "good", 2, Change.NONE, 2),
        (3.1, "good", 2, Change.ROSE, 3),
        (3.2, "less", 3, Change.FELL, 1),
        (4.5, "less", 1, Change.NONE, 1),
        (5.0, "good", 1, Change.ROSE, 2),
    ]

    for now, said, in_flight, change, expected in table:
        got = limit.succeeded(now) if said == "good" else limit.throttled(now, in_flight=in_flight)
        assert (got, limit.limit) == (change, expected), now


def test_a_limit_that_nobody_reaches_falls_to_half_of_what_was_in_flight() -> None:
    limit = AdaptiveLimit(256)

    assert limit.throttled(0, in_flight=12) is Change.FELL
    assert limit.limit == 6


def test_recovery_is_told_once_and_the_limit_goes_on_growing() -> None:
    limit, changes = AdaptiveLimit(256), []
    limit.throttled(0, in_flight=4)

    for second in range(1, 60):
        changes.append(limit.succeeded(second))

    assert [change for change in changes if change is not Change.NONE][:3] == [
        Change.ROSE,
        Change.RECOVERED,
        Change.ROSE,
    ]
    assert changes.count(Change.RECOVERED) == 1
    assert limit.limit > 8


def test_the_store_says_how_long_to_leave_it_alone() -> None:
    limit = AdaptiveLimit(8)

    limit.throttled(10, in_flight=8, retry_after=7)
    limit.throttled(11, in_flight=8, retry_after=2)

    assert [limit.pause(second) for second in (11, 16, 17, 18)] == [6, 1, 0, 0]
