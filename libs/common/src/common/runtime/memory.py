"""What a process that lives long does about memory, once, when everything is imported and nothing has begun."""

from __future__ import annotations

import ctypes
import gc

_ARENA_MAX = -8
"""glibc's M_ARENA_MAX."""
_ARENAS = 2


def settle_memory() -> None:
    """Leave what was imported out of garbage collection, and let all threads share few heaps.

    Going through modules again and again is a third of the collector's work; a heap for each thread keeps a body's
    memory where no other thread finds it. Elsewhere than on glibc only the first is done.
    """
    gc.collect()
    gc.freeze()
    try:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
    except (AttributeError, OSError):
        return
