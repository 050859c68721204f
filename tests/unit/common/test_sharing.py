"""A process's part of a location's limits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from common.errors import LedgerUnavailable
from common.sharing import PERIOD, Share, Users


class Others:
    """What the ledger would say, and what it was told."""

    def __init__(self, *answers: Users | Exception) -> None:
        self.told: list[bool] = []
        self._answers = list(answers)

    def __call__(self, moving: bool) -> Users:
        self.told.append(moving)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def at(times: list[float]) -> Callable[[], float]:
    return lambda: times[0]


def test_limits_are_divided_by_those_who_use_them() -> None:
    share = Share(Others(Users(asking=3, moving=2)), clock=at([0.0]))

    assert (share.rate(8e6), share.requests(32)) == (4e6, 10)


def test_a_process_among_many_may_send_one_request_at_least() -> None:
    share = Share(Others(Users(asking=50)), clock=at([0.0]))
    share.use()

    assert share.requests(8) == 1


def test_who_uses_a_location_tells_so_once_in_a_period() -> None:
    now, others = [0.0], Others(Users())
    share = Share(others, clock=at(now))

    for now[0] in (0.0, 1.0, PERIOD - 0.1, PERIOD, PERIOD + 1, 5 * PERIOD):
        share.use()

    assert others.told == [False, False, False]


def test_who_begins_to_move_bytes_tells_so_at_once_and_who_moved_none_for_a_period_says_that_too() -> None:
    now, others = [0.0], Others(Users())
    share = Share(others, clock=at(now))

    share.use()
    share.rate(1.0)
    share.rate(1.0)
    now[0] = PERIOD
    share.rate(1.0)
    now[0] = 2 * PERIOD
    share.use()

    assert others.told == [False, True, True, False]


def test_without_the_ledger_the_last_answer_holds() -> None:
    now, others = [0.0], Others(Users(asking=4), LedgerUnavailable("down"))
    share = Share(others, clock=at(now))

    share.use()
    now[0] = PERIOD
    share.use()

    assert (share.requests(8), len(others.told)) == (2, 2)


def test_one_thread_asks_and_none_begins_before_the_first_answer() -> None:
    entered, answer = threading.Event(), threading.Event()
    asked: list[bool] = []

    def slow(moving: bool) -> Users:
        asked.append(moving)
        entered.set()
        assert answer.wait(10)
        return Users(asking=8)

    share = Share(slow, clock=at([0.0]))

    def begin(_: int) -> int:
        share.use()
        return share.requests(16)

    with ThreadPoolExecutor(4) as pool:
        found = pool.map(begin, range(4))
        assert entered.wait(10)
        answer.set()
        assert (list(found), asked) == ([2] * 4, [False])
