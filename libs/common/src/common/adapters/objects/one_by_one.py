"""Several objects for stores that do nothing better with them than to take one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence

from common.errors import BackfillError, TransientError
from common.ports import AllCreated, AllFetched, Fetched, GoingOn, New, ObjectInfo, ObjectStore, Wanted, always

UNASKED = Fetched(None, 0.0, 0.0)


class OneByOne:
    """`Several` out of `fetch` and `create`."""

    __slots__ = ()

    @property
    def takes_several(self) -> bool:
        return False

    def fetch_several(
        self: ObjectStore,
        wanted: Sequence[Wanted],
        *,
        at_once: int,  # noqa: ARG002
        going_on: GoingOn = always,
    ) -> AllFetched:
        found = [UNASKED] * len(wanted)
        for place, one in enumerate(wanted):
            if not going_on():
                break
            found[place] = fetched_alone(self, one)
            if isinstance(found[place].answer, TransientError):
                break
        return found

    def create_several(
        self: ObjectStore,
        new: Sequence[New],
        *,
        at_once: int,  # noqa: ARG002
    ) -> AllCreated:
        made = AllCreated([None] * len(new))
        for place, one in enumerate(new):
            made[place] = answer = created_alone(self, one)
            if isinstance(answer, TransientError):
                break
        return made


def fetched_alone(store: ObjectStore, one: Wanted) -> Fetched:
    """What `fetch` says, its error as a value."""
    began = time.perf_counter()
    answer: ObjectInfo | BackfillError | None
    try:
        answer = store.fetch(key=one.key, into=one.into, if_match=one.if_match, version_id=one.version_id)
    except BackfillError as error:
        answer = error
    return Fetched(answer, began, time.perf_counter())


def created_alone(store: ObjectStore, one: New) -> ObjectInfo | BackfillError:
    """What `create` says, its error as a value."""
    try:
        return store.create(key=one.key, data=one.data, content_type=one.content_type, metadata=one.metadata)
    except BackfillError as error:
        return error
