"""Which bars there are, and when one is passed."""

from __future__ import annotations

import pytest
from benchmarks.dataplane.bars import BARS, Bar, judge

FASTER = Bar("null-s3/w1/cpu/rclone-both", "W1 client CPU", at_least=4.0)
SMALLER = Bar("null-s3/w3/rss", "W3 peak memory", at_most=200, unit=" MiB")


@pytest.mark.parametrize(
    ("bar", "value", "passed"),
    [(FASTER, 4.0, True), (FASTER, 3.99, False), (SMALLER, 200.0, True), (SMALLER, 200.1, False)],
)
def test_a_bar_is_passed_at_its_own_value_and_missed_just_beyond(bar, value, passed):
    assert bar.passed(value) is passed


def test_a_line_tells_passed_or_missed_with_what_was_measured_and_what_it_must_be():
    verdicts = judge({FASTER.measure: 4.5, SMALLER.measure: 251.4}, (FASTER, SMALLER))
    assert [verdict.line for verdict in verdicts] == [
        "passed  W1 client CPU: 4.50x, must be at least 4.00x",
        "MISSED  W3 peak memory: 251 MiB, must be at most 200 MiB",
    ]


def test_a_bar_that_was_not_measured_is_not_passed():
    [verdict] = judge({}, (FASTER,))
    assert (verdict.passed, verdict.line) == (False, "not measured  W1 client CPU: at least 4.00x")


def test_wall_time_may_be_fifteen_per_cent_behind_the_cpu_bar_except_for_small_files():
    demands = {bar.measure: bar.at_least for bar in BARS}
    assert {name: demands[f"null-s3/{name}/wall/rclone-both"] for name in ("w1", "w2", "w4", "w3")} == {
        "w1": 3.0,
        "w2": 1.0625,
        "w4": 1.105,
        "w3": 1.02,
    }


def test_every_bar_has_a_measure_of_its_own_and_exactly_one_limit():
    assert len({bar.measure for bar in BARS}) == len(BARS)
    assert all((bar.at_least is None) != (bar.at_most is None) for bar in BARS)
