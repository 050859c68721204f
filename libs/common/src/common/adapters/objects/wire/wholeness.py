"""What an answer must be to be believed: the whole object, or the range that was asked for, and no byte less."""

from __future__ import annotations

import re

from common.adapters.objects.answers import Answer
from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.connection import Cut
from common.adapters.objects.wire.heads import Nonsense
from common.adapters.objects.wire.refusal import Refusal
from common.errors import StoreUnavailable

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


def whole(body: Incoming, into: memoryview) -> tuple[dict[str, str], int | None]:
    """Headers and size of a whole object, which is in `into` then; None where there is more than that holds.
    Raises Nonsense and Cut."""
    head = body.head
    if head.status != 200:
        raise Nonsense(f"a whole object was asked for, the answer was {head.status}")
    _expect_end(body)
    if head.size is not None and head.size > len(into):
        return head.headers, None
    filled = body.fill(into)
    if head.size is not None and filled < head.size:
        raise Cut
    return head.headers, filled if body.ended() else None


def filled(body: Incoming, into: memoryview, first: int) -> int:
    """The object's size; its bytes from `first` on fill `into` then. Raises Refusal, StoreUnavailable and Cut."""
    size = _size_by_range(body, first, first + len(into))
    if size < first + len(into):
        raise Refusal(Answer(416, "InvalidRange"))
    _expect_end(body)
    if body.fill(into) < len(into) or not body.ended():
        raise Cut
    return size


def _expect_end(body: Incoming) -> None:
    """An object whose end is that of the connection may have been cut, and nobody would know."""
    if body.head.size is None and not body.head.chunked:
        raise Nonsense("an object came without its length")


def _size_by_range(body: Incoming, first: int, end: int | None) -> int:
    """The object's size, by an answer that is the range that was asked for, or what there is of it.

    By what the answer says of its range: some servers give a range with 200, `rclone serve s3` among them.
    """
    told = body.head.headers.get("content-range", "")
    found = _RANGE.fullmatch(told)
    if body.head.status in (200, 206) and found and int(found[1]) == first:
        size = int(found[3])
        if int(found[2]) == (size if end is None else min(end, size)) - 1:
            return size
    wanted = f"bytes {first} to {'the end' if end is None else end - 1} were asked for"
    raise StoreUnavailable(f"{wanted}; the answer was {body.head.status} with {told or 'no range'}")


def size_of_all(body: Incoming, first: int, end: int | None) -> int:
    """The object's size, before its bytes from `first` to `end` are taken. Raises Nonsense and StoreUnavailable."""
    _expect_end(body)
    if (first, end) != (0, None):
        return _size_by_range(body, first, end)
    if body.head.status != 200 or body.head.size is None:
        raise Nonsense(f"a whole object was asked for, the answer was {body.head.status} without its size")
    return body.head.size
