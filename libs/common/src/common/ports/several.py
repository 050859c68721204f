"""Several small objects at a time, asked for by one thread.

Small objects cost what is done around their bytes: a thread that sleeps until each answer has come, a lock that goes
from thread to thread, and code that is fetched into the processor's cache again for each of them. Who has many hands
them over together, so that each step is done for all of them before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from common.records import record

if TYPE_CHECKING:
    from common.errors import BackfillError
    from common.ports.objects import ObjectInfo


@record
class Wanted:
    """What `ObjectStore.fetch` takes."""

    key: str
    into: memoryview
    if_match: str | None = None
    version_id: str | None = None


@record
class New:
    """What `ObjectStore.create` takes."""

    key: str
    data: bytes | memoryview
    content_type: str | None = None
    metadata: dict[str, str] | None = None


class Fetched(NamedTuple):
    """What came of one object that was wanted."""

    answer: ObjectInfo | BackfillError | None
    """None where it was not asked for, or is longer than there is room."""
    began: float
    ended: float
    """Of its request, in seconds of `time.perf_counter`; 0 where there was none."""

    @property
    def asked(self) -> bool:
        """Whether there was a request."""
        return self.began > 0


GoingOn = Callable[[], bool]
"""Asked before each request: False leaves the rest unasked. What it raises gives up what is under way."""

AllFetched = list[Fetched]
AllCreated = list["ObjectInfo | BackfillError | None"]
"""None for who was not asked for."""


def always() -> bool:
    """Nothing interrupts."""
    return True


class Several(Protocol):
    """What an ObjectStore does for several objects at a time, with up to `at_once` requests under way.

    An error is that object's alone, and a value here. When something goes wrong that may pass (TransientError), the
    rest is not asked for; a store that is patient tries again, as it does for one object, and goes on.
    """

    @property
    def takes_several(self) -> bool:
        """Whether one thread does better with several objects than a thread for each."""
        ...

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        """Each as by `fetch`, in the same order."""
        ...

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        """Each as by `create`, in the same order."""
        ...
