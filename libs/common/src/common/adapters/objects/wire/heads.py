"""Heads of requests and answers. What could be read in two ways is not read at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*+")
_ANSWER = re.compile(
    r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\0\r\n]*+)?((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\0\r\n]*+)*+)"
)
_FIELD = re.compile(r"\r\n([^:]++):[ \t]*+([^\r\n]*+)")
_DIGITS = re.compile(r"[0-9]{1,18}")
_ONE_VALUE = frozenset(
    ("content-length", "transfer-encoding", "content-range", "etag", "x-amz-version-id", "x-ms-version-id")
)
"""Headers whose second value would be somebody's attack or mistake."""

Headers = Mapping[str, str]
"""Names in lower case in answers."""


class Nonsense(Exception):
    """What arrived is no HTTP/1.1 that can be read in one way only."""


class Head(NamedTuple):
    """What an answer says before its body."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    lasts: bool
    """The server will listen to another request on the connection."""
    size: int | None
    """Bytes of the body; None where only its end tells."""
    chunked: bool


def can_send(headers: Headers) -> bool:
    """Whether the headers arrive as they are, whatever is between here and there."""
    return all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers.items())


def request_head(method: str, target: str, headers: Headers) -> bytes:
    """Of a request whose headers include its Host. Raises ValueError for what would be read as something else."""
    if not (target.isascii() and target.isprintable()) or " " in target or not target:
        raise ValueError(f"{target!r} is no target of a request; quote it")
    lines = [f"{name}: {value}" for name, value in headers.items()]
    told = "".join(lines)
    if not (told.isascii() and told.isprintable()):
        raise ValueError(f"a header of {', '.join(headers)} holds what headers cannot")
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "\r\n"]).encode()


def quoted(path: str) -> str:
    """As the path of a target: all but letters, digits and `-._~/` in hexadecimal."""
    return path if _PLAIN.fullmatch(path) else quote(path, safe="~/")


def read_head(data: bytes, *, method: str) -> Head:
    """`data` is everything before the empty line, of the answer to a request of `method`. Raises Nonsense."""
    text = data.decode("latin-1")
    found = _ANSWER.fullmatch(text)
    if found is None:
        raise Nonsense(f"an answer began with {text[:60]!r}")
    headers, code = _fields(found[3]), int(found[2])
    bodiless = method == "HEAD" or code < 200 or code in (204, 304)
    chunked, size = _framing(headers)
    keeps = headers.get("connection", "").lower()
    lasts = "close" not in keeps if found[1] == "1" else "keep-alive" in keeps
    if bodiless:
        return Head(code, headers, lasts, size=0, chunked=False)
    return Head(code, headers, lasts and (chunked or size is not None), size, chunked)


def _fields(lines: str) -> dict[str, str]:
    """Of lines that are headers, each after a line's end."""
    found = [(name.lower(), value.rstrip(" \t")) for name, value in _FIELD.findall(lines)]
    headers = dict(found)
    if len(headers) < len(found):
        for name in headers:
            headers[name] = _joined(name, [value for other, value in found if other == name])
    return headers


def _joined(name: str, values: list[str]) -> str:
    if name in _ONE_VALUE and len(set(values)) > 1:
        raise Nonsense(f"{name} was {values[0][:60]!r} and {values[1][:60]!r}")
    return values[0] if name in _ONE_VALUE else ", ".join(values)


def _framing(headers: Headers) -> tuple[bool, int | None]:
    """Whether the body comes in chunks, and its size where that is told."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise Nonsense(f"a body's length was told as {coding[:60]!r} and {length!r}")
        return True, None
    if length is None:
        return False, None
    if not _DIGITS.fullmatch(length):
        raise Nonsense(f"content-length was {length[:60]!r}")
    return False, int(length)
