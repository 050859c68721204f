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

    `get` and `then` are called from several threads at once, as many as `workers` and this object's share of the memory
    allow. The first error ends it. A view must not be kept.
    """
    order, taking, crew = _Order(), Lock(), _Crew(memory, ranges)
    numbers = iter(range(1, ranges.count + 1))

    def one(_: int) -> None:
        if not crew.comes():
            return
        try:
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
            finally:
                memory.give_back(data)
        except BaseException:
            order.breaks_off()
            crew.breaks_off()
            raise
        finally:
            crew.goes()

    at_once = max(1, min(workers, memory.most // ranges.length))
    with memory.shared():
        in_parallel(one, range(ranges.count), pools=pools, workers=at_once, name="range")


class _Crew:
    """Lets as many threads of an object work as its share of the memory has ranges, and at least one: what is read
    ahead waits in memory for its turn, and must not keep other objects from having anything to hash.

    The others rest until the share grows. They are not woken for each range: who has done one does the next.
    """

    def __init__(self, memory: Memory, ranges: Ranges) -> None:
        self._memory, self._length = memory, ranges.length
        self._to_come = ranges.count
        """Calls that have not begun to work, resting ones among them."""
        self._working = self._resting = 0
        self._broken = False

    def comes(self) -> bool:
        """Waits until the caller may work; False where there is nothing to do any more, because another failed."""
        with self._memory.sharing:
            self._resting += 1
            while not self._broken and self._working >= max(1, self._memory.share // self._length):
                self._memory.sharing.wait()
            self._resting -= 1
            self._to_come -= 1
            self._working += not self._broken
            return not self._broken

    def goes(self) -> None:
        with self._memory.sharing:
            self._working -= 1
            # Nobody else comes: those who rest have what is left.
            if self._to_come == self._resting:
                self._memory.sharing.notify_all()

    def breaks_off(self) -> None:
        with self._memory.sharing:
            self._broken = True
            self._memory.sharing.notify_all()


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
