"""Blocks of bytes of any size → decoded lines, in memory bounded by one line and one piece of a block."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from common.domain.bagit.encodings import TagEncoding
from common.domain.problem import Problem, bag_problem

Report = Callable[[Problem], None]
"""Takes the problems of a file while it is read."""

Blocks = Iterable[bytes | memoryview]

_PIECE = 64 * 1024
_LONGEST_MARK = 4


class LineRefused(Exception):
    """One line cannot be used; its reader reports it with the number and goes on."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


@dataclass(frozen=True, slots=True)
class TextLimits:
    """How much text is believed."""

    max_line: int
    """Characters, without the line's end."""
    max_file: int
    """Bytes."""


def read_lines(
    blocks: Blocks, *, name: str, encoding: TagEncoding, limits: TextLimits, report: Report
) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, from 1, without their ends (LF, CR or CRLF; the last may have none).

    The first thing that is wrong is reported and ends the lines: what follows a bad byte cannot be trusted.
    The result is the same however the bytes are cut into blocks.
    """
    reader = _Reader(name=name, encoding=encoding, limits=limits)
    number = 0
    for batch in reader.batches(blocks):
        for text in batch:
            number += 1
            yield number, text
    if reader.fault:
        report(reader.fault)


class _Reader:
    """The state between two blocks."""

    def __init__(self, *, name: str, encoding: TagEncoding, limits: TextLimits) -> None:
        self._name = name
        self._encoding = encoding
        self._limits = limits
        self._decoder: codecs.IncrementalDecoder | None = None
        self._codec = ""
        self._head = b""
        self._rest = ""
        self._done = 0
        self._size = 0
        self.fault: Problem | None = None

    def batches(self, blocks: Blocks) -> Iterator[list[str]]:
        for block in blocks:
            for first in range(0, len(block), _PIECE):
                yield self._feed(bytes(block[first : first + _PIECE]))
                if self.fault:
                    return
        yield self._finish()

    def _feed(self, piece: bytes) -> list[str]:
        allowed = self._limits.max_file - self._size
        self._size += len(piece)
        lines = self._decode(piece[:allowed], final=False)
        if len(piece) > allowed and not self.fault:
            self._fail("bag_file_too_large", f"more than {self._limits.max_file} bytes", line=None)
        return lines

    def _finish(self) -> list[str]:
        lines = self._decode(b"", final=True)
        if self._rest and not self.fault:
            lines.append(self._rest.removesuffix("\r"))
        return lines

    def _decode(self, data: bytes, *, final: bool) -> list[str]:
        if not self._decoder:
            self._head += data
            if len(self._head) < _LONGEST_MARK and not final:
                return []
            data = self._choose_decoder()
        if not self._decoder:
            return []
        try:
            return self._split(self._decoder.decode(data, final))
        except UnicodeDecodeError as bad:
            lines = self._split(bad.object[: bad.start].decode(self._codec))
            byte = bad.object[bad.start]
            self._fail("bag_text_undecodable", f"the byte 0x{byte:02x} is not {self._encoding.name}: {bad.reason}")
            return lines

    def _choose_decoder(self) -> bytes:
        """Returns the bytes after the mark."""
        chosen = self._encoding.codec_for(self._head)
        if not chosen:
            self._fail("bag_byte_order_mark", f"begins with a byte order mark, declared as {self._encoding.name}")
            return b""
        self._codec, skipped = chosen
        self._decoder = codecs.getincrementaldecoder(self._codec)("strict")
        return self._head[skipped:]

    def _split(self, text: str) -> list[str]:
        """The lines that are complete. A CR at the very end waits: an LF may follow."""
        text = self._rest + text
        end = "\r" if text.endswith("\r") else ""
        whole = text[:-1] if end else text
        if "\r" in whole:
            whole = whole.replace("\r\n", "\n").replace("\r", "\n")
        lines = whole.split("\n")
        if len(whole) > self._limits.max_line and max(map(len, lines)) > self._limits.max_line:
            return self._cut_at_long_line(lines)
        self._rest = lines.pop() + end
        self._done += len(lines)
        return lines

    def _cut_at_long_line(self, lines: list[str]) -> list[str]:
        index = next(i for i, line in enumerate(lines) if len(line) > self._limits.max_line)
        self._done += index
        self._fail("bag_line_too_long", f"longer than {self._limits.max_line} characters")
        return lines[:index]

    def _fail(self, code: str, what: str, *, line: int | None = 0) -> None:
        if not self.fault:
            self.fault = bag_problem(code, what, path=self._name, line=self._done + 1 if line == 0 else line)
