"""HTTP/1.1 as bytes on a stream: heads, and bodies in the order they come. Nothing is decoded, so nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

BLOCK = 64 * 1024
MOST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """A request's or an answer's first line and headers, as they came."""

    raw: bytes
    first: str
    headers: dict[str, str]
    """By lower-case name; of repeated ones the last."""

    @property
    def method(self) -> str:
        return self.first.split(" ", 1)[0]

    @property
    def target(self) -> str:
        """What a request is about: path and query, as sent."""
        return self.first.split(" ")[1]

    @property
    def status(self) -> int:
        return int(self.first.split(" ", 2)[1])

    @property
    def length(self) -> int | None:
        """Bytes of the body, where the head says so."""
        told = self.headers.get("content-length")
        return None if told is None else int(told)

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close" or self.first.endswith("HTTP/1.0")

    def without(self, name: str) -> bytes:
        """The raw head without a header."""
        lines = self.raw.split(b"\r\n")
        prefix = name.lower().encode() + b":"
        return b"\r\n".join(line for line in lines if not line.lower().startswith(prefix))


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head; None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Head(raw, first, headers)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a body. `data` is False for what only frames it (chunk sizes)."""

    raw: bytes
    data: bool = True


async def request_body(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[Piece]:
    """The body of a request: as long as its head says, else none."""
    if head.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif head.length:
        async for piece in _counted(reader, head.length):
            yield piece


async def answer_body(reader: asyncio.StreamReader, head: Head, *, method: str) -> AsyncIterator[Piece]:
    """The body of an answer; one without a length goes on until the connection ends."""
    if method == "HEAD" or head.status in (204, 304):
        return
    if head.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif head.length is None:
        while block := await reader.read(BLOCK):
            yield Piece(block)
    else:
        async for piece in _counted(reader, head.length):
            yield piece


def ends_by_closing(head: Head, *, method: str) -> bool:
    """Whether only the end of the connection ends this answer."""
    return method != "HEAD" and head.status not in (204, 304) and not head.chunked and head.length is None


async def _counted(reader: asyncio.StreamReader, length: int) -> AsyncIterator[Piece]:
    while length:
        block = await reader.read(min(BLOCK, length))
        if not block:
            raise ConnectionResetError("the body ended early")
        length -= len(block)
        yield Piece(block)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[Piece]:
    while True:
        line = await reader.readuntil(b"\r\n")
        yield Piece(line, data=False)
        size = int(line.split(b";")[0], 16)
        if size:
            async for piece in _counted(reader, size):
                yield piece
            yield Piece(await reader.readexactly(2), data=False)
            continue
        while True:
            trailer = await reader.readuntil(b"\r\n")
            yield Piece(trailer, data=False)
            if trailer == b"\r\n":
                return
