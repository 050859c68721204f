"""The tag file encodings that are read: a closed list, so that a bag never chooses one of Python's own codecs."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_UTF8_MARK = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class TagEncoding:
    """One character encoding by its IANA name."""

    name: str
    _codec: str
    """Python's name for it; without a byte order mark."""
    _forbidden: bytes = b""
    """A mark that the file must not begin with."""
    _marks: tuple[tuple[bytes, str], ...] = ()
    """Marks that the file may begin with, and the codec each of them announces."""

    def codec_for(self, head: bytes) -> tuple[str, int] | None:
        """The codec and the number of mark bytes to skip, by the file's first 4 bytes; None for a forbidden mark."""
        for mark, codec in self._marks:
            if head.startswith(mark):
                return codec, len(mark)
        if self._forbidden and head.startswith(self._forbidden):
            return None
        return self._codec, 0


_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF32_MARKS = ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"))

UTF_8 = TagEncoding("UTF-8", "utf-8", _UTF8_MARK)
_ALL = (
    UTF_8,
    # Without a mark UTF-16 is big-endian (RFC 2781 section 4.3).
    TagEncoding("UTF-16", "utf-16-be", _marks=_UTF16_MARKS),
    TagEncoding("UTF-16LE", "utf-16-le", codecs.BOM_UTF16_LE),
    TagEncoding("UTF-16BE", "utf-16-be", codecs.BOM_UTF16_BE),
    TagEncoding("UTF-32", "utf-32-be", _marks=_UTF32_MARKS),
    TagEncoding("UTF-32LE", "utf-32-le", codecs.BOM_UTF32_LE),
    TagEncoding("UTF-32BE", "utf-32-be", codecs.BOM_UTF32_BE),
    TagEncoding("ISO-8859-1", "iso8859-1"),
    TagEncoding("ISO-8859-15", "iso8859-15"),
    TagEncoding("US-ASCII", "ascii"),
    TagEncoding("Windows-1252", "cp1252"),
)
_ALIASES = {
    "utf8": "utf-8",
    "iso_8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso_8859-15": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "ascii": "us-ascii",
    "ansi_x3.4-1968": "us-ascii",
    "cp1252": "windows-1252",
}
_BY_NAME = {encoding.name.lower(): encoding for encoding in _ALL}


def tag_encoding(name: str) -> TagEncoding | None:
    """The encoding of this name, in any letter case; None if it is not on the list."""
    lowered = name.lower()
    return _BY_NAME.get(_ALIASES.get(lowered, lowered))
