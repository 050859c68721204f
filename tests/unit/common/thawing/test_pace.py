"""How fast copying is, told from what was copied lately."""

from __future__ import annotations

from datetime import timedelta

from common.thawing.pace import Copied, busy_rate
from unit.common.thawing.builders import NOON


def copied(readable: float, at: float, octets: int = 100) -> Copied:
    return Copied(NOON + timedelta(seconds=readable), NOON + timedelta(seconds=at), octets)


def test_a_line_that_is_copied_one_after_the_other_has_the_rate_of_the_copier() -> None:
    """All could be read since long: how long they stood in line says nothing of the rate."""
    assert busy_rate([copied(-90_000, 10 * number) for number in range(6)]) == 10.0


def test_time_in_which_nothing_could_be_read_does_not_count() -> None:
    line = [copied(1000 * number, 1000 * number + 10) for number in range(6)]

    assert busy_rate(line) == 10.0


def test_several_copiers_at_once_are_as_fast_as_they_are_together() -> None:
    assert busy_rate([copied(0, 10.0 * (number // 2)) for number in range(12)]) == 22.0


def test_a_few_rows_say_nothing() -> None:
    assert busy_rate([copied(0, number) for number in range(4)]) is None
