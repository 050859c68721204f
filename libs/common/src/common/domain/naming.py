"""Names at a destination that cannot hold all names: written so that it can, and so that they can be read back.

`^` and two upper-case hex digits stand for one byte of UTF-8: `data/notes.` is held as `data/notes^2E`. Escaped are
the characters that Azure refuses or changes (controls, backslash, U+FFFE, U+FFFF), a dot that ends a segment, a slash
that ends the name, and `^` itself. So no two names become one, every mapped name tells its original, and a name without
any of these stays as it is.
"""

from __future__ import annotations

import re
from enum import StrEnum

ESCAPE = "^"
MAPPED_NAMES = "mappedNames"
"""In the detail of the event that planning ends with: how many names of the bag are mapped."""

_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\x9f\\^\ufffe\uffff]|\.(?=/|\Z)|/\Z")
_ESCAPES = re.compile(r"(?:\^[0-9A-F]{2})+")


class Names(StrEnum):
    """What a location does with names that its provider cannot hold."""

    REFUSE = "refuse"
    """The bag is refused before anything is thawed."""
    MAP = "map"
    """They are mapped, and the mapping is in the plan, in the evidence and in the bag's record."""

    def stored(self, path: str) -> str:
        """How a path below the bag's root is written at the destination."""
        return encode(path) if self is Names.MAP else path


def encode(path: str) -> str:
    """The mapped name; `path` itself where nothing needs mapping."""
    return _ESCAPED.sub(lambda found: _escape(found[0]), path)


def decode(name: str) -> str:
    """What `encode` made `name` of. Raises ValueError for a name that it makes of none."""
    try:
        path = _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace(ESCAPE, "")).decode(), name)
    except UnicodeDecodeError:
        path = ""
    if encode(path) != name:
        raise ValueError(f"{name!r} is no mapped name: {ESCAPE} and two hex digits must stand for what needs mapping")
    return path


def _escape(character: str) -> str:
    return "".join(f"{ESCAPE}{byte:02X}" for byte in character.encode())
