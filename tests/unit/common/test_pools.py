"""Calls in turn, for those who must know in which order things happen."""

from __future__ import annotations

import pytest

from common.pools import InTurn


def test_calls_run_one_after_the_other_before_submit_returns() -> None:
    seen: list[int] = []

    with InTurn(max_workers=3) as pool:
        futures = [pool.submit(lambda n=n: seen.append(n) or n) for n in range(3)]

    assert (seen, [future.result() for future in futures]) == ([0, 1, 2], [0, 1, 2])


def test_an_exception_waits_in_the_future_and_the_end_of_the_process_does_not() -> None:
    future = InTurn().submit(lambda: 1 // 0)

    assert isinstance(future.exception(), ZeroDivisionError)
    with pytest.raises(SystemExit):
        InTurn().submit(lambda: exec("raise SystemExit"))
