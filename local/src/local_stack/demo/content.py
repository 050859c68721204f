"""Real content of different kinds, made here and the same every time."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

_STORY = (
    "the archive keeps what the town forgot letters maps drawings of harbours and hospitals a ledger of every ship "
    "that came in from the sea and who was on board their names their trades the price of bread in a bad winter"
)
_WORDS = _STORY.split()


def picture(seed: int, *, side: int = 192) -> bytes:
    """A PNG of interfering waves, `side` pixels wide and high, in colour."""
    rng = random.Random(seed)
    centres = [(rng.randrange(side), rng.randrange(side), rng.uniform(8, 30)) for _ in range(3)]
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            for cx, cy, wavelength in centres:
                distance = ((x - cx) ** 2 + (y - cy) ** 2) ** 0.5
                rows.append(int((distance % wavelength) / wavelength * 255))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text(seed: int, *, words: int) -> bytes:
    """So many words of plain text in lines."""
    rng = random.Random(seed)
    lines, line = [], ""
    for _ in range(words):
        line += rng.choice(_WORDS) + " "
        if len(line) > 72:
            lines.append(line.rstrip())
            line = ""
    return ("\n".join([*lines, line.rstrip()]) + "\n").encode()


def film(seed: int, *, size: int) -> bytes:
    """Bytes that do not compress, as a film's do not."""
    return b"RIFF" + random.Random(seed).randbytes(size - 4)


def pages(number: int, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """Small web pages: path and content."""
    for page in range(number):
        body = text(seed + page, words=60 + page % 200).decode()
        html = f"<!doctype html><title>Page {page}</title><p>{body}</p>"
        yield f"data/site/{page // 100:02d}/page-{page:04d}.html", html.encode()
