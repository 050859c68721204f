"""Where the threads run that copy many small files."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.pools import InTurn, in_parallel
from common.processors import LIGHT, Together, for_files, running_on

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system keeps no thread anywhere")


def where(sizes: list[int], *, workers: int = 4) -> list[set[int]]:
    """Where each of the threads may run that work on files of these sizes at the same time."""
    all_here = threading.Barrier(workers, timeout=10)

    def look(_: int) -> set[int]:
        all_here.wait()
        return os.sched_getaffinity(0)

    return in_parallel(look, range(workers), pools=ThreadPoolExecutor, workers=workers, inside=for_files(sizes))


def test_threads_with_small_files_share_one_processor() -> None:
    seen = where([10_000] * 4)

    assert [len(processors) for processors in seen] == [1] * 4
    assert seen == [seen[0]] * 4


@pytest.mark.parametrize("sizes", [[LIGHT + 1], [0, 0, 4 * LIGHT], []])
def test_threads_with_larger_files_run_anywhere(sizes: list[int]) -> None:
    assert where(sizes) == [os.sched_getaffinity(0)] * 4


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_is_free_again_afterwards(fails: bool) -> None:
    before = os.sched_getaffinity(0)

    def act(item: int) -> float:
        return 1 / (0 if fails else item)

    try:
        in_parallel(act, [1], pools=InTurn, workers=1, inside=for_files([1]))
    except ZeroDivisionError:
        assert fails

    assert os.sched_getaffinity(0) == before


def test_the_processor_is_chosen_again_when_nobody_is_kept_and_after_ten_seconds() -> None:
    now, asked = [0.0], [0]

    def here() -> int | None:
        asked[0] += 1
        return running_on()

    together = Together(where=here, clock=lambda: now[0])
    with together.kept():
        with together.kept():
            assert asked == [1]
        now[0] = 10.5
        with together.kept():
            assert asked == [2]
    with together.kept():
        assert asked == [3]


@pytest.mark.parametrize("processor", [None, 4095])
def test_where_a_thread_cannot_be_kept_it_works_all_the_same(processor: int | None) -> None:
    before = os.sched_getaffinity(0)

    with Together(where=lambda: processor).kept():
        assert os.sched_getaffinity(0) == before
