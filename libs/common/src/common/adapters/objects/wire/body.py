"""The body of an answer, however its length is told."""

from __future__ import annotations

import re

from common.adapters.objects.wire.connection import Closed, Connection, Cut
from common.adapters.objects.wire.heads import Head, Nonsense

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0\r\n]*)?")
_TRAILERS = 64
_BLOCK = 64 * 1024


class Incoming:
    """Bytes of an answer, to be taken once. Raises OSError, Cut and Nonsense."""

    __slots__ = ("_connection", "_left", "_more_chunks", "head")

    def __init__(self, connection: Connection, head: Head) -> None:
        self.head = head
        self._connection = connection
        self._left = 0 if head.chunked else head.size
        """Of the body or of the chunk; None: until the connection ends."""
        self._more_chunks = head.chunked

    @property
    def taken(self) -> bool:
        """Whether all of it has been taken, so that the connection is free."""
        return self._left == 0 and not self._more_chunks

    def take(self, into: memoryview) -> int:
        """Fill a part of `into`, which is not empty: how many bytes; 0 where the body has ended."""
        if self._left == 0 and self._more_chunks:
            self._next_chunk()
        if self._left == 0:
            return 0
        if self._left is None:
            return self._take_to_the_end(into)
        count = self._connection.receive(into if len(into) <= self._left else into[: self._left])
        self._left -= count
        if self._left == 0 and self.head.chunked and self._line():
            raise Nonsense("a chunk is longer than it says")
        return count

    def fill(self, into: memoryview) -> int:
        """Fill `into`, or as much of it as there are bytes: how many."""
        filled = self.take(into) if into else 0
        if self._left == 0 and not self._more_chunks:
            return filled
        while filled < len(into) and (count := self.take(into[filled:])):
            filled += count
        return filled

    def text(self, most: int) -> bytes:
        """The body's first `most` bytes."""
        if self.taken:
            return b""
        text, block = bytearray(), memoryview(bytearray(min(most, _BLOCK)))
        while len(text) < most and (count := self.fill(block[: most - len(text)])):
            text += block[:count]
        self.ended()
        return bytes(text)

    def ended(self) -> bool:
        """Whether nothing is left; looks for the last chunk, which has no bytes."""
        if self._left == 0 and self._more_chunks:
            self._next_chunk()
        return self.taken

    def _take_to_the_end(self, into: memoryview) -> int:
        try:
            return self._connection.receive(into)
        except Cut:
            self._left = 0
            return 0

    def _next_chunk(self) -> None:
        found = _CHUNK.fullmatch(self._line())
        if found is None:
            raise Nonsense("a chunk without its size")
        self._left = int(found[1], 16)
        if self._left == 0:
            self._more_chunks = False
            self._pass_trailers()

    def _pass_trailers(self) -> None:
        for _ in range(_TRAILERS):
            if not self._line():
                return
        raise Nonsense(f"more than {_TRAILERS} lines after a body")

    def _line(self) -> bytes:
        try:
            return self._connection.line()
        except Closed:
            raise Cut from None
