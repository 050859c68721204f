"""What the stores were asked, where they keep it: S5, S9, S11, S15 of writes; E1, E2 of what costs money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from invariants.ports import Request, Violation
from invariants.trail import Change

COPIER, VERIFIER = "backfill_replicator", "verifier"


@dataclass(slots=True)
class Requests:
    """Looks at every request once; remembers what later ones must be held against."""

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Location id → prefixes below which only people write."""
    _written: dict[tuple[str, str], int] = field(default_factory=dict)
    _holders: set[str] = field(default_factory=set)

    def claimed(self, changes: Iterable[Change]) -> None:
        """Remember who ever held a row."""
        self._holders |= {change.holder for change in changes if change.holder}

    def check(self, location: str, requests: Iterable[Request]) -> Iterator[Violation]:
        for request in requests:
            if not request.by:
                continue
            yield from self._written_once(location, request)
            yield from self._allowed(location, request)
            if request.what == "restore" and request.needless:
                yield Violation("E2", f"{location}/{request.key}", f"{request.by} asked for it again, for money")

    def _written_once(self, location: str, request: Request) -> Iterator[Violation]:
        where = f"{location}/{request.key}"
        if request.what in ("replace", "delete"):
            yield Violation("S5", where, f"{request.what} by {request.by}: an object is written once")
        elif request.what == "create":
            number = self._written.setdefault((location, request.key), request.number)
            if number != request.number:
                yield Violation("S5", where, f"created again by {request.by}")

    def _allowed(self, location: str, request: Request) -> Iterator[Violation]:
        where = f"{location}/{request.key}"
        if request.what not in ("create", "replace", "delete"):
            return
        if request.key.startswith(tuple(self.sources.get(location, ()))):
            yield Violation("S15", where, f"{request.what} at the source by {request.by}")
        if not request.by.startswith(COPIER):
            yield Violation("S11", where, f"{request.what} by {request.by}, who only reads")
        elif request.by not in self._holders:
            yield Violation("S9", where, f"{request.what} by {request.by}, who never held a row")
