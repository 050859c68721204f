"""All archived objects of the server, on one clock, with a thread that notices what falls due.

It knows moto's keys by three attributes only: `storage_class`, `disposed` and the archive it hangs on them.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from local_stack.cold_s3.archive import Answer, Archive, Change, Happening, Shelf, Tier, next_due, requested
from local_stack.cold_s3.clock import SimulatedClock

_ATTRIBUTE = "_cold_archive"
_ALWAYS_ARCHIVED = {Shelf.GLACIER.value, Shelf.DEEP_ARCHIVE.value}
TIERING = "INTELLIGENT_TIERING"

Tell = Callable[[Any, Happening, Archive], None]
"""Called with the key, what happened, and the archive as it was when it did."""


class Freezer:
    """Thread-safe. `tell` is called without the lock held, in order per key."""

    def __init__(self, clock: SimulatedClock, tell: Tell) -> None:
        self.clock = clock
        self.no_expedited_capacity = False
        self._tell = tell
        self._slow_down = 0
        self._counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._changed = threading.Condition(threading.RLock())
        self._due: list[tuple[Any, int, Any]] = []
        self._order = itertools.count()

    def archive_of(self, key: Any) -> Archive | None:
        """The object's archive as of now; None for an object that can simply be read."""
        while True:
            with self._changed:
                before = _attached(key)
                change = next_due(before, now=self.clock.now())
                if change is None:
                    return before
                self._attach(key, change.archive)
            self._tell(key, change.what, _told(before, change))

    def restore(self, key: Any, *, tier: Tier, days: int | None) -> Answer:
        """Ask for a restore, by the rules of `archive.requested`; sends the event."""
        self.archive_of(key)
        with self._changed:
            answer = requested(
                _attached(key),
                tier=tier,
                days=days,
                now=self.clock.now(),
                expedited_capacity=not self.no_expedited_capacity,
            )
            if answer.refusal is None:
                self._attach(key, answer.archive)
        for what in answer.happened:
            if answer.archive is not None:
                self._tell(key, what, answer.archive)
        return answer

    def put_on_shelf(self, key: Any, shelf: Shelf | None) -> None:
        """Archive an INTELLIGENT_TIERING object, or make it readable. Raises ValueError for other classes."""
        if key.storage_class != TIERING or (shelf is not None and not shelf.tiering):
            raise ValueError(f"only {TIERING} objects have archive tiers; this one's class is {key.storage_class}")
        with self._changed:
            self._attach(key, Archive(shelf) if shelf else None)

    def slow_down(self, requests: int) -> None:
        """Let the next `requests` restore requests be refused."""
        with self._changed:
            self._slow_down = requests

    def takes_slow_down(self) -> bool:
        """Whether this restore request is one to refuse."""
        with self._changed:
            refused = self._slow_down > 0
            self._slow_down -= int(refused)
            return refused

    def count(self, *, bucket: str, key: str, operation: str) -> None:
        with self._changed:
            self._counts[bucket][key][operation] += 1

    def counts(self, bucket: str) -> dict[str, dict[str, int]]:
        with self._changed:
            return {key: dict(counted) for key, counted in self._counts.get(bucket, {}).items()}

    def clock_changed(self) -> None:
        """Settle all that is due now, and let the watching thread look at the clock again."""
        self._settle_due()
        with self._changed:
            self._changed.notify_all()

    def watch(self) -> None:
        """Settles whatever falls due, forever; sleeps until then."""
        while True:
            self._settle_due()
            with self._changed:
                if not self._due:
                    self._changed.wait()
                    continue
                seconds = self.clock.real_seconds_until(self._due[0][0])
                if seconds != 0.0:
                    self._changed.wait(seconds)

    def _settle_due(self) -> None:
        while True:
            with self._changed:
                if not self._due or self._due[0][0] > self.clock.now():
                    return
                key = heapq.heappop(self._due)[2]
            if not key.disposed:
                self.archive_of(key)

    def _attach(self, key: Any, archive: Archive | None) -> None:
        setattr(key, _ATTRIBUTE, archive)
        if archive is not None and archive.next_change is not None:
            heapq.heappush(self._due, (archive.next_change, next(self._order), key))
            self._changed.notify_all()


def _attached(key: Any) -> Archive | None:
    archive: Archive | None = getattr(key, _ATTRIBUTE, None)
    if archive is None and key.storage_class in _ALWAYS_ARCHIVED:
        return Archive(Shelf(key.storage_class))
    return archive


def _told(before: Archive | None, change: Change) -> Archive:
    """The archive that an event tells of: with its readable copy, where there is or was one."""
    told = change.archive if change.archive is not None and change.archive.restore is not None else before
    assert told is not None, "only an archive has events"
    return told
