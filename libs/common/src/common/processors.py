"""Where threads run, and when: those that take turns at Python's lock are kept on one processor (docs/adr/0022), and
workers do not interrupt who else runs (docs/adr/0024).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Lock

LIGHT = 32 * 1024
"""Bytes: up to this size Python has more to do for a file than what needs no lock, which is hashing and the system."""
_CHOSEN_AGAIN = 10.0
"""Seconds: what else runs on the processor may have changed."""

Inside = Callable[[], AbstractContextManager[object]]
"""What each thread works inside of."""


def running_on() -> int | None:
    """The processor on which the calling thread runs; None where the system does not tell."""
    try:
        with open("/proc/thread-self/stat", encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to import
            # proc(5): the name, which may hold anything, is in parentheses; field 39 is the processor.
            return int(file.read().rpartition(")")[2].split()[36])
    except OSError:
        return None


def interrupt_nobody() -> None:
    """The calling thread, and each that it starts from now on, waits for its turn when what it slept for has come.

    It gets as much of a processor as before (SCHED_BATCH, sched(7)). Nothing happens where the system has no such thing
    or refuses it, nor where somebody has chosen another policy for this process.
    """
    with suppress(AttributeError, OSError):
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class Mark:
    """Says to the other workers of this machine which processor is taken. The system forgets it with the process.

    A name among the abstract sockets (unix(7)): no file is left behind, and one process at a time has it.
    """

    def __init__(self, name: str = "backfill processor") -> None:
        self._name = name
        self._held: socket.socket | None = None

    @property
    def marked(self) -> bool:
        """Whether a processor is this process's own."""
        return self._held is not None

    def put_on(self, first: int) -> int:
        """Free of the old one: a processor that nobody marked, `first` if it may be; that one, too, where all are."""
        self.remove()
        try:
            others = sorted(os.sched_getaffinity(0) - {first})
            self._held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        except OSError:
            return first
        for processor in (first, *others):
            # Taken by another, or the system has no such names.
            with suppress(OSError):
                self._held.bind(f"\0{self._name} {processor}")
                return processor
        self.remove()
        return first

    def remove(self) -> None:
        """Leave the processor to others."""
        if self._held is not None:
            self._held.close()
            self._held = None


class Together:
    """Keeps threads on one processor, which is chosen again when nobody is kept, and every 10 seconds. Thread-safe.

    Other processes that do the same are on other processors, as long as there are any.
    """

    def __init__(
        self,
        *,
        where: Callable[[], int | None] = running_on,
        clock: Callable[[], float] = time.monotonic,
        mark: Mark | None = None,
    ) -> None:
        self._where, self._clock = where, clock
        self._lock = Lock()
        self._mark = mark or Mark()
        self._kept = 0
        self._processor: int | None = None
        self._chosen_at = 0.0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The calling thread stays where the others are. Nothing happens where the system has no such thing."""
        processor, before = self._joined(), None
        try:
            before = _moved(processor)
            yield
        finally:
            self._left()
            if before is not None:
                # Where all of these have been taken from us meanwhile, the thread stays: its work is done.
                with suppress(OSError):
                    os.sched_setaffinity(0, before)

    def _joined(self) -> int | None:
        with self._lock:
            if not self._kept or self._clock() - self._chosen_at > _CHOSEN_AGAIN:
                here, self._chosen_at = self._where(), self._clock()
                self._processor = None if here is None else self._mark.put_on(here)
            self._kept += 1
            return self._processor

    def _left(self) -> None:
        with self._lock:
            self._kept -= 1
            if not self._kept:
                self._mark.remove()


def _moved(processor: int | None) -> set[int] | None:
    """Where the thread was allowed to run before; None where it was not moved."""
    if processor is None:
        return None
    try:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {processor})
    except OSError:
        # Not ours any more, or we may not say where we run: it works everywhere.
        return None
    return before


_TOGETHER = Together()
"""Of the process, as the lock is."""


def for_files(sizes: Sequence[int]) -> Inside:
    """What the threads should work inside of that copy or read files of so many bytes."""
    return _TOGETHER.kept if sizes and sum(sizes) <= LIGHT * len(sizes) else nullcontext
