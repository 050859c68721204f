"""The memory that the bytes of objects take in a process: bounded, and used again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

MOST_HELD = 64 << 20
"""Bytes of objects that a process holds at once, over all its threads."""


class Memory:
    """Bytes that the threads of a process may hold at once. Who asks first is served first."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = self._free = most
        self._changed = Condition()
        self._waiting: deque[object] = deque()
        self._spare: list[bytearray] = []

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Waits until `size` bytes are free. What is larger than all there is waits for all of it."""
        self._take(size)
        try:
            yield
        finally:
            self._give_back(size)

    def buffer(self, size: int) -> memoryview:
        """A buffer of `size` bytes, whose content means nothing, when as many are free; to be given back."""
        self._take(size)
        with self._changed:
            fitting = next((spare for spare in self._spare if len(spare) >= size), None)
            if fitting is not None:
                self._spare.remove(fitting)
        return memoryview(fitting if fitting is not None else bytearray(size))[:size]

    def give_back(self, buffer: memoryview) -> None:
        """The buffer, and every view of it, is not used any more."""
        size, whole = len(buffer), buffer.obj
        buffer.release()
        with self._changed:
            # Kept for who comes next: fresh memory has to be found and cleared by the kernel, page by page.
            if isinstance(whole, bytearray) and sum(map(len, self._spare)) + len(whole) <= self.most:
                self._spare.append(whole)
        self._give_back(size)

    def _take(self, size: int) -> None:
        size = min(size, self.most)
        with self._changed:
            if self._waiting or self._free < size:
                me = object()
                self._waiting.append(me)
                while self._waiting[0] is not me or self._free < size:
                    self._changed.wait()
                self._waiting.popleft()
                self._changed.notify_all()
            self._free -= size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._free += min(size, self.most)
            if self._waiting:
                self._changed.notify_all()
