"""What the checker needs of the stores, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that does not hold."""

    invariant: str
    """As docs/durability.md calls it: "S1"."""
    subject: str
    """The bag, row or key that it is about."""
    told: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.told}"


class Store(Protocol):
    """One location's bucket, as anybody with read access sees it."""

    def keys(self, prefix: str) -> Iterable[str]:
        """Every key that begins with `prefix`, in any order."""
        ...

    def read(self, key: str) -> bytes:
        """All bytes. Raises KeyError where there is no such object, or it cannot be read because it is archived."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request that a store carried out, in the order of all of them."""

    number: int
    what: str
    """"create", "replace", "delete", "read" or "restore"."""
    key: str
    by: str
    """The worker's name as the ledger's claims have it; empty for people and the provider itself."""
    bytes: int = 0
    needless: bool = False
    """A restore of what was restored or on its way already, asked for although an earlier answer had said so."""


@runtime_checkable
class Watched(Protocol):
    """A store that also knows what was asked of it: more can be checked."""

    def history(self) -> Sequence[Request]:
        """Every request so far, oldest first; it only grows."""
        ...

    def etag(self, key: str) -> str:
        """Raises KeyError."""
        ...


class Connection(Protocol):
    """The part of a psycopg connection that is used. Rows are tuples."""

    def execute(self, query: Any, params: Any = None) -> Any: ...
