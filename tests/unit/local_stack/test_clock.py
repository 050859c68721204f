"""Simulated time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local_stack.cold_s3.clock import SimulatedClock

START = datetime(2026, 3, 10, tzinfo=UTC)


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_it_runs_at_its_ratio_and_keeps_its_time_when_the_ratio_changes() -> None:
    real = Stopwatch()
    clock = SimulatedClock(ratio=3600, start=START, monotonic=real)
    real.seconds += 2
    clock.set_ratio(60)
    real.seconds += 1
    assert clock.now() == START + timedelta(hours=2, minutes=1)


def test_a_frozen_clock_moves_by_jumps_only() -> None:
    real = Stopwatch()
    clock = SimulatedClock(ratio=0, start=START, monotonic=real)
    real.seconds += 1000
    clock.advance(90)
    assert clock.now() == START + timedelta(seconds=90)


@pytest.mark.parametrize(("ratio", "hours", "wait"), [(3600, 2, 2.0), (3600, -1, 0.0), (0, 2, None), (0, 0, 0.0)])
def test_it_tells_how_long_to_wait_for_a_moment(ratio: float, hours: float, wait: float | None) -> None:
    clock = SimulatedClock(ratio=ratio, start=START, monotonic=Stopwatch())
    assert clock.real_seconds_until(START + timedelta(hours=hours)) == wait


def test_time_never_goes_back() -> None:
    clock = SimulatedClock(ratio=1, start=START)
    with pytest.raises(ValueError, match="advance_seconds"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="ratio"):
        clock.set_ratio(-1)
