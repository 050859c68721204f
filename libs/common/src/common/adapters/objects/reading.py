"""What every remote store does about ranges: ask, and where the range is empty or past the end, look at the size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from common.adapters.objects.answers import Answer
from common.adapters.objects.body import CountedBody, checked_range
from common.adapters.objects.wire import Blocks, Refusal
from common.errors import BackfillError, Changed, TruncatedBody
from common.ports import Body, ObjectInfo
from common.records import record

Span = tuple[int, int | None] | None
"""First byte and the one after the last (None: to the end); None for the whole object."""

Found = tuple[ObjectInfo, Iterable[bytes | memoryview]] | None
"""What is being read; None where the range begins at or after the end."""


@record
class Translated:
    """Blocks from the wire, whose refusals are called as the provider's table has them."""

    blocks: Blocks
    error_for: Callable[[Answer], BackfillError]

    def __iter__(self) -> Iterator[memoryview]:
        try:
            yield from self.blocks
        except Refusal as refusal:
            raise self.error_for(refusal.answer) from None

    def close(self) -> None:
        self.blocks.close()


@contextmanager
def opened(
    *,
    key: str,
    first: int,
    length: int | None,
    if_match: str | None,
    get: Callable[[Span], Found],
    head: Callable[[], ObjectInfo],
) -> Iterator[Body]:
    """As `ObjectStore.read` promises, out of two requests of a provider that both raise our errors."""
    if first < 0 or (length is not None and length < 0):
        raise ValueError(f"{key}: a range begins and is counted from 0, was first {first}, length {length}")
    found = None if length == 0 else get(_span(first, length))
    if found is None:
        yield _nothing(key, head(), first, length, if_match)
        return
    info, blocks = found
    try:
        wanted = checked_range(key=key, size=info.size, first=first, length=length)
        yield CountedBody(info, blocks, wanted)
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def fetched(body: AbstractContextManager[Body], into: memoryview) -> ObjectInfo | None:
    """As `ObjectStore.fetch` promises, out of `read`."""
    with body as opened_body:
        return None if opened_body.info.size > len(into) else _filled(opened_body, into[: opened_body.info.size])


def filled(body: AbstractContextManager[Body], into: memoryview) -> ObjectInfo:
    """As `ObjectStore.read_into` promises, out of `read`."""
    with body as opened_body:
        return _filled(opened_body, into)


def _filled(body: Body, into: memoryview) -> ObjectInfo:
    place = 0
    for block in body:
        if place + len(block) > len(into):
            break
        into[place : place + len(block)] = block
        place += len(block)
    else:
        if place == len(into):
            return body.info
    # What is left of an earlier object in the buffer must never count as this one's.
    raise TruncatedBody(f"{body.info.key}: {len(into)} bytes were asked for, {place} arrived, or more")


def past_end(*, key: str, first: int, length: int) -> ValueError:
    """What reading raises where the object has not so many bytes."""
    return ValueError(f"{key}: bytes {first} to {first + length} were asked for, the object has fewer")


def _span(first: int, length: int | None) -> Span:
    if length is None:
        return None if first == 0 else (first, None)
    return first, first + length


def _nothing(key: str, info: ObjectInfo, first: int, length: int | None, if_match: str | None) -> Body:
    """An empty body for an empty range; ValueError for one that begins past the end."""
    if if_match not in (None, info.etag):
        raise Changed(f"{key}: etag {if_match} was pinned, it is {info.etag} now")
    if checked_range(key=key, size=info.size, first=first, length=length):
        raise Changed(f"{key}: the object grew to {info.size} bytes while it was read")
    return CountedBody(info, (), 0)
