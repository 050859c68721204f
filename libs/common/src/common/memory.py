"""The memory that the bytes of objects take in a process: bounded, and used again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

MOST_HELD = 64 << 20
"""Bytes of objects that a process holds at once, over all its threads."""
_LEAST = 16 * 1024
"""Bytes of the smallest buffer."""


class Memory:
    """Bytes that the threads of a process may hold at once. Who asks first is served first."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = self._free = most
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._waiting: deque[object] = deque()
        self._spare: dict[int, list[bytearray]] = {}
        """Buffers by length: fresh memory has to be found and cleared by the kernel, page by page."""
        self._spared = 0
        """Bytes of them; with those in use never more than the most, but for a single larger buffer."""
        self.sharing = Condition()
        self._sharers = 0

    def holding(self, size: int) -> Held:
        """A buffer of `size` bytes, whose content means nothing, when as many are free. No view of it must be kept."""
        return Held(self, size)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """For whom takes several buffers at a time: one for what it is doing, others for what comes next."""
        with self.sharing:
            self._sharers += 1
        try:
            yield
        finally:
            with self.sharing:
                self._sharers -= 1
                self.sharing.notify_all()

    @property
    def share(self) -> int:
        """Bytes that each of those should hold at most: none should wait while another holds what it does not need yet.
        To be asked with the lock of `sharing`, which tells when it grows."""
        return self.most // max(1, self._sharers)

    def buffer(self, size: int) -> memoryview:
        """As `holding`; to be given back."""
        length = rounded(size)
        taken = length if length < self.most else self.most
        with self._lock:
            if self._waiting or self._free < taken:
                self._wait_for(taken)
            self._free -= taken
            whole = None
            if spare := self._spare.get(length):
                whole = spare.pop()
                self._spared -= length
            if self._spared > self._free:
                self._forget_spare(at_most=self._free)
        return memoryview(bytearray(length) if whole is None else whole)[:size]

    def give_back(self, buffer: memoryview) -> None:
        """The buffer, and every view of it, is not used any more."""
        whole = buffer.obj
        buffer.release()
        assert isinstance(whole, bytearray)
        length = len(whole)
        with self._lock:
            self._free += length if length < self.most else self.most
            if length <= self.most:
                if (spare := self._spare.get(length)) is None:
                    spare = self._spare[length] = []
                spare.append(whole)
                self._spared += length
            if self._waiting:
                self._changed.notify_all()

    def _wait_for(self, length: int) -> None:
        """Waits for its turn, and then until so much is free."""
        me = object()
        self._waiting.append(me)
        while self._waiting[0] is not me or self._free < length:
            self._changed.wait()
        self._waiting.popleft()
        self._changed.notify_all()

    def _forget_spare(self, *, at_most: int) -> None:
        while self._spared > at_most:
            length, spare = next((length, spare) for length, spare in self._spare.items() if spare)
            spare.pop()
            self._spared -= length


class Held:
    """A buffer for the length of a `with`."""

    __slots__ = ("_buffer", "_memory", "_size")

    def __init__(self, memory: Memory, size: int) -> None:
        self._memory, self._size = memory, size

    def __enter__(self) -> memoryview:
        self._buffer = self._memory.buffer(self._size)
        return self._buffer

    def __exit__(self, *_: object) -> None:
        self._memory.give_back(self._buffer)


def cut(buffer: memoryview, sizes: Iterable[int]) -> list[memoryview]:
    """Views of so many bytes each, one behind the other."""
    views, place = list[memoryview](), 0
    for size in sizes:
        views.append(buffer[place : place + size])
        place += size
    return views


def rounded(size: int) -> int:
    """`size`, or up to a quarter more: files of about one size use the same buffers."""
    if size <= _LEAST:
        return _LEAST
    step = max(_LEAST, 1 << (size.bit_length() - 3))
    return -(-size // step) * step
