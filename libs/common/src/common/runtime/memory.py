"""What a process that lives long does about memory, once, when everything is imported and nothing has begun."""

from __future__ import annotations

import ctypes
import gc

_GLIBC = (
    (-8, 2),  # M_ARENA_MAX: two heaps for all threads, not one for each, so that a body's memory is found again
    (-3, 32 << 20),  # M_MMAP_THRESHOLD: bodies come out of the heaps; pages of the kernel's would be cleared anew
    (-1, 128 << 20),  # M_TRIM_THRESHOLD: and are not given back after each file
)


def settle_memory() -> None:
    """Leave what was imported out of garbage collection, and let files use the same memory one after the other.

    Elsewhere than on glibc only the first is done.
    """
    gc.freeze()
    try:
        for parameter, value in _GLIBC:
            ctypes.CDLL(None).mallopt(parameter, value)
    except (AttributeError, OSError):
        return
