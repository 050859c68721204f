"""Several objects at a time in stores that are asked over HTTP: what both providers do alike, step by step for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from common.adapters.objects.one_by_one import UNASKED
from common.adapters.objects.wire import MOST_SAID, Answered, Asking, Incoming, Refusal, can_send, whole
from common.errors import BackfillError
from common.ports import AllCreated, AllFetched, Fetched, GoingOn, New, ObjectInfo, Wanted, always

S = TypeVar("S", Wanted, New)

Way = tuple[str, Mapping[str, str]]
"""Target and headers of a request."""


class ToRead(Protocol):
    """What asks for an object; may raise our errors."""

    def __call__(self, key: str, *, if_match: str | None, version_id: str | None) -> Way: ...


_Whole = tuple[dict[str, str], int | None]


def fetch_several(
    asking: Asking,
    wanted: Sequence[Wanted],
    *,
    to_read: ToRead,
    info: Callable[[str, dict[str, str], int], ObjectInfo],
    at_once: int,
    going_on: GoingOn,
) -> AllFetched:
    """As `Several.fetch_several`. Those for whom `to_read` raises one of our errors are not asked for."""

    def way(one: Wanted) -> Way:
        return to_read(one.key, if_match=one.if_match, version_id=one.version_id)

    requests = [found and asking.wire.request("GET", *found) for found in _ways(way, wanted)]
    several = asking.several(_whole, at_once=at_once, going_on=going_on)

    def fetched(one: Wanted, told: Answered[_Whole]) -> Fetched:
        what, began, ended = told
        if what is None:
            return UNASKED
        if isinstance(what, Refusal):
            return Fetched(asking.error_for(what.answer, what=f"reading {one.key}"), began, ended)
        headers, size = what
        return Fetched(None if size is None else info(one.key, headers, size), began, ended)

    return [fetched(one, told) for one, told in zip(wanted, several.all(requests, wanted), strict=True)]


def create_several(
    asking: Asking,
    new: Sequence[New],
    *,
    described: Callable[[New], dict[str, str]],
    fault: Callable[[str], str | None],
    to_create: Callable[[str, Mapping[str, str]], Way],
    made: Callable[[New, dict[str, str]], ObjectInfo],
    at_once: int,
) -> AllCreated:
    """As `Several.create_several`. Not made are those whose name has a fault, whose description headers cannot say, or
    for whom `to_create` raises one of our errors."""

    def way(one: New) -> Way | None:
        headers = described(one)
        return None if fault(one.key) or not can_send(headers) else to_create(one.key, headers)

    requests = [
        found and asking.wire.request("PUT", *found, one.data, twice=False)
        for one, found in zip(new, _ways(way, new), strict=True)
    ]
    several = asking.several(_headers, at_once=at_once, going_on=always, writing=True)

    def created(one: New, told: Answered[dict[str, str]]) -> ObjectInfo | BackfillError | None:
        if told.what is None:
            return None
        if isinstance(told.what, Refusal):
            return asking.error_for(told.what.answer, what=f"creating {one.key}", writing=True)
        try:
            return made(one, told.what)
        except BackfillError as error:
            return error

    return [created(one, told) for one, told in zip(new, several.all(requests, new), strict=True)]


def lower_case(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """With names as stores give them back."""
    return {name.lower(): value for name, value in metadata.items()} if metadata else {}


def _ways(way: Callable[[S], Way | None], several: Sequence[S]) -> list[Way | None]:
    def found(one: S) -> Way | None:
        try:
            return way(one)
        except BackfillError:
            return None

    return [found(one) for one in several]


def _whole(body: Incoming, one: Wanted) -> _Whole:
    return whole(body, one.into)


def _headers(body: Incoming, _: New) -> dict[str, str]:
    body.text(MOST_SAID)
    return body.head.headers
