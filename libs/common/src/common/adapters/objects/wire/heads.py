"""Heads of requests and answers. What could be read in two ways is not read at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, NoReturn
from urllib.parse import quote

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")
_CONTROLS = bytes([*range(32), 127])
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_MOST_NAMES = 256
_LONGEST_LENGTH = 18
"""Digits."""
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
    for name, value in headers.items():  # noqa: SIM110 - every file written comes by here; `all` takes half as long again
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            return False
    return True


def request_head(method: str, target: str, headers: Headers, *, always: str = "", size: int | None = None) -> bytes:
    """`always` are lines that every request to the server has, `size` is that of the body, if there is one. Raises
    ValueError for what would be read as something else."""
    if size is not None:
        always = f"{always}Content-Length: {size}\r\n"
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = f"{method} {target} HTTP/1.1\r\n{always}{lines}\r\n"
    ends = 2 + len(headers) + always.count("\n")
    if not head.isascii() or " " in target or not target:
        _refuse(target, headers)
    data = head.encode()
    # Nothing but the ends of its lines is in it that could end one.
    if len(data.translate(None, _CONTROLS)) != len(data) - 2 * ends:
        _refuse(target, headers)
    return data


def _refuse(target: str, headers: Headers) -> NoReturn:
    if not (target.isascii() and target.isprintable()) or " " in target or not target:
        raise ValueError(f"{target!r} is no target of a request; quote it")
    raise ValueError(f"a header of {', '.join(headers)} holds what headers cannot")


def quoted(path: str) -> str:
    """As the path of a target: all but letters, digits and `-._~/` in hexadecimal."""
    return path if _PLAIN.fullmatch(path) else quote(path, safe="~/")


def read_head(data: bytes, *, method: str) -> Head:
    """`data` is everything before the empty line, of the answer to a request of `method`. Raises Nonsense."""
    text = data.decode("latin-1")
    first, *lines = text.split("\r\n")
    # Whoever takes another byte than these for the end of a line would read another answer.
    if not text.count("\n") == text.count("\r") == len(lines) or "\0" in text:
        raise Nonsense(f"an answer began with {text[:60]!r}")
    (code, newer), headers = _status(first), _fields(lines)
    chunked, size = _framing(headers)
    if "connection" in headers:
        keeps = headers["connection"].lower()
        newer = "close" not in keeps if newer else "keep-alive" in keeps
    if method == "HEAD" or code < 200 or code == 204 or code == 304:
        return Head(code, headers, newer, 0, chunked=False)
    return Head(code, headers, newer and (chunked or size is not None), size, chunked)


@lru_cache(maxsize=64)
def _status(line: str) -> tuple[int, bool]:
    """The code, and whether the server speaks HTTP/1.1, not 1.0. There are few such lines: each is read once."""
    version, _, told = line.partition(" ")
    code = told.partition(" ")[0]
    known = len(code) == 3 and code.isascii() and code.isdigit() and "100" <= code <= "599"
    if version not in ("HTTP/1.0", "HTTP/1.1") or not known:
        raise Nonsense(f"an answer began with {line[:60]!r}")
    return int(code), version == "HTTP/1.1"


class _Names(dict[str, str]):
    """Names of headers as they are written → in lower case. A store has a few dozens: each is looked at once."""

    def __missing__(self, raw: str) -> str:
        if not raw or not _TOKEN.issuperset(raw):
            raise Nonsense(f"{raw[:60]!r} is no name of a header")
        name = raw.lower()
        if len(self) < _MOST_NAMES:
            self[raw] = name
        return name


_NAMES = _Names()


def _fields(lines: list[str]) -> dict[str, str]:
    """By lower-case name."""
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, value = line.partition(":")
        name = _NAMES[raw]
        if not colon:
            raise Nonsense(f"{line[:60]!r} is no header")
        value = value.strip(" \t")
        headers[name] = _joined(name, headers[name], value) if name in headers else value
    return headers


def _joined(name: str, before: str, value: str) -> str:
    if name not in _ONE_VALUE:
        return f"{before}, {value}"
    if value != before:
        raise Nonsense(f"{name} was {before[:60]!r} and {value[:60]!r}")
    return before


def _framing(headers: Headers) -> tuple[bool, int | None]:
    """Whether the body comes in chunks, and its size where that is told."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise Nonsense(f"a body's length was told as {coding[:60]!r} and {length!r}")
        return True, None
    if length is None:
        return False, None
    if not (length.isascii() and length.isdigit() and len(length) <= _LONGEST_LENGTH):
        raise Nonsense(f"content-length was {length[:60]!r}")
    return False, int(length)
