"""Where bags lie below a location's prefix, as a pattern such as "{space}/{externalIdentifier}/v{n}"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version

DEFAULT_LAYOUT = "{space}/{externalIdentifier}/v{n}"
_PARTS = {"{space}": r"(?P<space>[^/]*)", "{externalIdentifier}": r"(?P<identifier>.*)"}
_END = "/v{n}"
_PART = re.compile(r"(\{space\}|\{externalIdentifier\})")
_BRACE = re.compile(r"[{}]")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Layout:
    """A pattern. It ends with /v{n}, so that all versions of a bag lie below one root. Raises ValueError."""

    pattern: str = DEFAULT_LAYOUT

    def __post_init__(self) -> None:
        root = self.pattern.removesuffix(_END)
        literal = _PART.sub("", root)
        if root == self.pattern or any(root.count(part) != 1 for part in _PARTS) or _BRACE.search(literal):
            raise ValueError(f"must have {{space}} and {{externalIdentifier}} once and end with {_END}")
        if root.startswith("/") or "//" in root or "}{" in root:
            raise ValueError("must not begin with a slash, nor have an empty directory or two names without a slash")

    def bag_root(self, *, space: str, identifier: str) -> str:
        """Where all versions of a bag lie, without a trailing slash."""
        return _root(self.pattern, space, identifier)

    def bag_at(self, path: str) -> BagVersion:
        """The bag version whose place `path` is. Raises ValueError, a sentence."""
        root, slash, version = path.rpartition("/")
        found = _matcher(self.pattern).fullmatch(root) if slash else None
        if not found or not found["identifier"]:
            raise ValueError(f"the path must be {self.pattern}")
        return BagVersion(
            self._made("space", Space, found["space"]),
            self._made("external identifier", ExternalIdentifier, found["identifier"]),
            self._made("version", Version.parse, version),
        )

    def _made(self, name: str, make: Callable[[str], _Made], text: str) -> _Made:
        try:
            return make(text)
        except ValueError as error:
            raise ValueError(f"the path must be {self.pattern}; the {name} {text!r}: {error}") from None

    def bag_around(self, path: str) -> str | None:
        """The outermost directory on the way to `path` that could be a bag version's place; None where none could."""
        for end in (match.start() for match in re.finditer("/", path)):
            try:
                self.bag_at(path[:end])
            except ValueError:
                continue
            return path[:end]
        return None


@lru_cache(maxsize=64)
def _matcher(pattern: str) -> re.Pattern[str]:
    parts = _PART.split(pattern.removesuffix(_END))
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in parts), re.DOTALL)


@lru_cache(maxsize=1024)
def _root(pattern: str, space: str, identifier: str) -> str:
    """Asked for with every file of a bag."""
    root = pattern.removesuffix(_END)
    return root.replace("{space}", space, 1).replace("{externalIdentifier}", identifier, 1)
