"""An object in ranges: read by several threads at a time, seen in order by one at a time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Lock

from common.memory import Memory
from common.pools import Pools, in_parallel
from common.records import record


@record
class Ranges:
    """`size` bytes in ranges of `length`; the last has the rest."""

    size: int
    length: int

    @property
    def count(self) -> int:
        return -(-self.size // self.length)

    def first(self, number: int) -> int:
        """Of range `number`, counted from 1: its first byte."""
        return (number - 1) * self.length

    def length_of(self, number: int) -> int:
        return min(self.length, self.size - self.first(number))


def in_ranges(
    ranges: Ranges,
    *,
    get: Callable[[int, memoryview], None],
    use: Callable[[memoryview], None],
    then: Callable[[int, memoryview], None] | None = None,
    memory: Memory,
    pools: Pools,
    workers: int,
) -> None:
    """`get(first, into)` each range, `use` them one after the other from the first, and `then(number, data)` each.

    `get` and `then` are called from several threads at once, as many as `workers` and the memory allow. The first
    error ends it. A view must not be kept.
    """
    order, taking = _Order(), Lock()
    numbers = iter(range(1, ranges.count + 1))

    def one(_: int) -> None:
        # Number and memory are taken together: the range that all others wait for always has its memory.
        with taking:
            number = next(numbers)
            data = memory.buffer(ranges.length_of(number))
        try:
            get(ranges.first(number), data)
            if order.comes_to(number):
                use(data)
                order.passed()
                if then is not None:
                    then(number, data)
        except BaseException:
            order.breaks_off()
            raise
        finally:
            memory.give_back(data)

    at_once = max(1, min(workers, memory.most // ranges.length))
    in_parallel(one, range(ranges.count), pools=pools, workers=at_once, name="range")


class _Order:
    """Lets one range after the other pass."""

    def __init__(self) -> None:
        self._next = 1
        self._broken = False
        self._changed = Condition()

    def comes_to(self, number: int) -> bool:
        """Waits until all before it have passed; False where one of them never will."""
        with self._changed:
            while self._next != number and not self._broken:
                self._changed.wait()
            return not self._broken

    def passed(self) -> None:
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def breaks_off(self) -> None:
        with self._changed:
            self._broken = True
            self._changed.notify_all()
