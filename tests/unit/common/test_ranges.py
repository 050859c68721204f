"""Objects that are read in ranges, several of them at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.memory import Memory
from common.ranges import Ranges, in_ranges

_LENGTH = 1 << 20


class _Watched:
    """An object whose ranges are got when the test says so."""

    def __init__(self, memory: Memory, count: int, *, workers: int = 4) -> None:
        self.seen: list[int] = []
        self.most = 0
        self.free = threading.Semaphore(0)
        """A range that is got takes one."""
        self._now, self._lock = 0, threading.Lock()
        self._given = {"ranges": Ranges(count * _LENGTH, _LENGTH), "memory": memory, "workers": workers}

    def run(self, get: Callable[[int], None] | None = None) -> None:
        def got(first: int, into: memoryview) -> None:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                assert self.free.acquire(timeout=30), "the test let nothing go on"
                if get is not None:
                    get(first)
                into[0] = first // _LENGTH
            finally:
                with self._lock:
                    self._now -= 1

        in_ranges(get=got, use=lambda data: self.seen.append(data[0]), pools=ThreadPoolExecutor, **self._given)

    @property
    def now(self) -> int:
        with self._lock:
            return self._now


def test_one_object_has_all_of_the_memory() -> None:
    alone = _Watched(Memory(4 * _LENGTH), 12)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(alone.run)
        _until(lambda: alone.now == 4)
        alone.free.release(12)
        running.result(timeout=20)

    assert (alone.seen, alone.most) == (list(range(12)), 4)


def test_an_object_has_its_share_of_the_memory_and_more_when_others_have_ended() -> None:
    memory = Memory(4 * _LENGTH)
    first, second = _Watched(memory, 9), _Watched(memory, 9)
    with ThreadPoolExecutor() as pool:
        with memory.shared(), memory.shared(), memory.shared():
            running = [pool.submit(one.run) for one in (first, second)]
            _until(lambda: first.now == second.now == 1)
            time.sleep(0.05)  # no other thread comes meanwhile
            assert (first.now, second.now) == (1, 1)
            first.free.release(9)
            running[0].result(timeout=20)
        _until(lambda: second.now == 4)
        second.free.release(9)
        running[1].result(timeout=20)

    assert first.seen == second.seen == list(range(9))
    assert (first.most, second.most) == (1, 4)


def test_threads_that_rest_do_what_is_left_when_the_others_have_gone() -> None:
    memory = Memory(4 * _LENGTH)
    watched = _Watched(memory, 4)
    watched.free.release(4)
    with memory.shared(), memory.shared(), memory.shared(), ThreadPoolExecutor() as pool:
        pool.submit(watched.run).result(timeout=20)

    assert (watched.seen, watched.most) == ([0, 1, 2, 3], 1)


def test_an_error_wakes_those_who_rest_and_nothing_more_is_read() -> None:
    memory, asked = Memory(4 * _LENGTH), list[int]()
    watched = _Watched(memory, 8)
    watched.free.release(8)

    def fail(first: int) -> None:
        asked.append(first)
        time.sleep(0.1)  # the other threads come and rest
        raise OSError("gone")

    with memory.shared(), memory.shared(), memory.shared(), ThreadPoolExecutor() as pool:
        ended = pool.submit(watched.run, fail)
        with pytest.raises(OSError, match="gone"):
            ended.result(timeout=20)

    assert (asked, watched.seen) == ([0], [])


def test_memory_that_cannot_be_had_ends_it() -> None:
    memory = Memory(4 * _LENGTH)
    watched = _Watched(memory, 8)
    watched.free.release(8)

    def none(size: int) -> memoryview:
        raise MemoryError(size)

    memory.buffer = none  # type: ignore[method-assign]
    with ThreadPoolExecutor() as pool, pytest.raises(MemoryError):
        pool.submit(watched.run).result(timeout=20)


def _until(true: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)
