"""Stores, read through the vendors' own SDKs. Nothing here can write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing has it."""

    key: str
    size: int
    etag: str = ""


class Gone(Exception):
    """There is no such object."""


class Frozen(Exception):
    """The object is archived: it has to be thawed before it can be read, which a check never asks for."""


class Unreachable(Exception):
    """The store does not answer, or not to these credentials."""


class Reader(Protocol):
    """One location's bucket. Raises Gone, Frozen and Unreachable."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed]:
        """Every object whose key begins with `prefix` and comes after `after`, by key in UTF-8 byte order."""
        ...

    def size(self, key: str) -> int:
        """Bytes of the object."""
        ...

    def read(self, key: str) -> Iterator[bytes]:
        """All bytes of the object, in blocks."""
        ...
