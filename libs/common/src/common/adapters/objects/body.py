"""An open object whose bytes are counted: never fewer than asked for, without an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from common.errors import TruncatedBody
from common.ports import ObjectInfo
from common.records import record


@record
class CountedBody:
    """Yields the blocks of `source`, which must be `expected` bytes together."""

    info: ObjectInfo
    source: Iterable[bytes | memoryview]
    expected: int

    def __iter__(self) -> Iterator[bytes | memoryview]:
        seen = 0
        for block in self.source:
            seen += len(block)
            if seen > self.expected:
                break
            yield block
        if seen != self.expected:
            raise TruncatedBody(f"{self.info.key}: {self.expected} bytes were asked for, {seen} arrived")


def checked_range(*, key: str, size: int, first: int, length: int | None) -> int:
    """How many bytes to read. Raises ValueError for a range that the object, of `size` bytes, does not have."""
    end = size if length is None else first + length
    if first < 0 or (length is not None and length < 0) or first > size or end > size:
        raise ValueError(f"{key}: bytes {first} to {end} were asked for, the object has {size}")
    return end - first
