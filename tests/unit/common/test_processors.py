"""Where the threads run that copy many small files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from common.pools import InTurn, in_parallel
from common.processors import LIGHT, Mark, Together, for_files, interrupt_nobody, running_on

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


NAME = f"processor of test {os.getpid()}"
"""Other tests that run now copy small files too."""


def test_workers_mark_the_processor_that_they_are_on_and_others_take_the_next() -> None:
    here, *others = sorted(os.sched_getaffinity(0))
    marks = [Mark(NAME) for _ in range(len(others) + 2)]
    with ExitStack() as marked:
        for mark in marks:
            marked.callback(mark.remove)
        assert [mark.put_on(here) for mark in marks] == [here, *others, here]

        marks[0].remove()
        assert marks[-1].put_on(here) == here
        assert Mark(NAME).put_on(here) == here, "where all are taken, the worker stays"


def test_the_mark_of_a_worker_that_was_killed_is_gone() -> None:
    here, mine = min(os.sched_getaffinity(0)), Mark(NAME)
    begin = f"import time; from common.processors import Mark; m = Mark({NAME!r}); print(m.put_on({here}), flush=True)"
    with subprocess.Popen([sys.executable, "-c", f"{begin}; time.sleep(60)"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert int(other.stdout.readline()) == here
        other.kill()
    try:
        assert mine.put_on(here) == here
        assert mine.marked
    finally:
        mine.remove()


def test_two_workers_do_not_share_a_processor_while_there_are_two() -> None:
    here, *others = sorted(os.sched_getaffinity(0))
    first, second = (Together(where=lambda: here, mark=Mark(NAME)) for _ in range(2))

    def kept() -> set[int]:
        with second.kept():
            return os.sched_getaffinity(0)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(int).result()  # begins it here: threads begin where the one that begins them may run
        with first.kept():
            assert thread.submit(kept).result() == {others[0] if others else here}
        assert thread.submit(kept).result() == {here}


def policies(prepare: Callable[[], None]) -> list[int]:
    """How a thread is scheduled after `prepare` and `interrupt_nobody`; one that it starts; and this one."""
    seen: list[int] = []

    def work() -> None:
        prepare()
        interrupt_nobody()
        seen.append(os.sched_getscheduler(0))
        inner = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(0)))
        inner.start()
        inner.join()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return [*seen, os.sched_getscheduler(0)]


def test_who_interrupts_nobody_starts_others_that_do_not_and_changes_no_thread_beside_it() -> None:
    before = os.sched_getscheduler(0)

    assert policies(lambda: None) == [os.SCHED_BATCH, os.SCHED_BATCH, before]


def test_a_policy_that_was_chosen_for_the_process_is_kept() -> None:
    def idle() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    assert policies(idle)[:2] == [os.SCHED_IDLE, os.SCHED_IDLE]


def test_a_system_that_refuses_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    interrupt_nobody()
    monkeypatch.delattr(os, "SCHED_BATCH")
    interrupt_nobody()
