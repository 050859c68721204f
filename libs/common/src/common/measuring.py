"""Hashing an object's bytes: small ones in one piece, others as a stream, and never more memory than allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from common.domain.fixity import MultiHasher
from common.ports import ObjectInfo, ObjectStore

WHOLE = 8 << 20
"""Bytes: objects up to this are fetched in one piece, which costs less than a stream."""

MOST_HELD = 64 << 20
"""Bytes of objects that a process holds at once, over all its threads."""


class Memory:
    """Bytes that the threads of a process may hold at once. A thread holds one thing at a time."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = self._free = most
        self._changed = Condition()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Waits until `size` bytes are free. What is larger than all there is waits for all of it."""
        size = min(size, self._most)
        with self._changed:
            while self._free < size:
                self._changed.wait()
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


def hash_object(
    store: ObjectStore,
    *,
    key: str,
    size: int,
    hasher: MultiHasher,
    memory: Memory,
    checkpoint: Callable[[], None],
) -> ObjectInfo:
    """Give every byte of the object to `hasher`. `size` is what it should have; another is no error here.

    Raises what `ObjectStore.read` raises.
    """
    if size <= WHOLE:
        with memory.holding(size):
            found = store.fetch(key=key, most=size)
            if found is not None:
                hasher.update(found.data)
                return found.info
    with store.read(key=key) as body:
        for block in body:
            checkpoint()
            hasher.update(block)
        return body.info
