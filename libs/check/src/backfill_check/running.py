"""A whole check: register and listing merged by key, or copy after copy, until the end or until the time is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backfill_check.depth import Depth
from backfill_check.findings import Finding, Sign, Summary
from backfill_check.judging import Place, judge
from backfill_check.register import Copy, Target
from backfill_check.stores import Listed, Unreachable

OURS = ("file-lists/", "evidence-checkpoints/")
"""Below a location's prefix: what the register keeps there beside bags."""
_LAST = "\U0010ffff"


class Register(Protocol):
    """What is read of the ledger; :class:`backfill_check.register.Ledger` is its adapter."""

    def copies(
        self, location: str, target: Target, *, oldest_first: bool, after: tuple[str, ...] | None
    ) -> Iterator[Copy]: ...

    def sizes(self, copy: Copy, location: str) -> Iterator[tuple[str, int]]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be checked, and how."""

    target: Target
    depth: Depth
    oldest_first: bool = False
    seconds: float | None = None
    """How long at most; the copy that is looked at then is finished."""

    def name(self) -> str:
        """Two runs of one name go on from each other's place."""
        return repr((self.target, self.depth, self.oldest_first))


class State:
    """Where an interrupted check goes on; without a path it begins anew."""

    def __init__(self, path: Path | None, wish: Wish) -> None:
        self._path = path
        self._name = wish.name()
        self.done: dict[str, tuple[str, ...]] = {}
        """By location, the place of the last copy that was finished."""
        self.finished: set[str] = set()
        if path and path.exists():
            kept = json.loads(path.read_text("utf-8"))
            if kept.get("check") != self._name:
                raise ValueError(f"{path} is of another check ({kept.get('check')}): name another file or remove it")
            self.done = {name: tuple(place) for name, place in kept["done"].items()}
            self.finished = set(kept["finished"])

    def keep(self, location: str, place: tuple[str, ...] | None) -> None:
        """A copy is finished; None: the whole location is."""
        if place is None:
            self.finished.add(location)
        else:
            self.done[location] = place
        self._write()

    def end(self) -> None:
        """All is done: the next run begins anew."""
        if self._path:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        if not self._path:
            return
        kept = {"check": self._name, "done": self.done, "finished": sorted(self.finished)}
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(kept), "utf-8")
        beside.replace(self._path)


def run(
    wish: Wish, places: list[Place], *, register: Register, state: State, tell: Callable[[Finding], None]
) -> Summary:
    """Check every place in turn."""
    began = time.monotonic()
    summary = Summary(tell=tell, orphans_looked_for=not wish.oldest_first)

    def over() -> bool:
        return wish.seconds is not None and time.monotonic() - began >= wish.seconds

    for place in places:
        if place.id in state.finished:
            continue
        try:
            ended = (_ordered if wish.oldest_first else _merged)(wish, place, register, state, summary, over)
        except Unreachable as error:
            summary.add([Finding(Sign.ERROR, place.id, "", str(error))])
            continue
        if not ended:
            summary.ended = False
            return summary
        state.keep(place.id, None)
    if not summary.signs[Sign.ERROR]:
        state.end()
    return summary


_Over = Callable[[], bool]


def _ordered(wish: Wish, place: Place, register: Register, state: State, summary: Summary, over: _Over) -> bool:
    """Copy after copy, each with a listing of its own; whether the end was reached."""
    copies = register.copies(place.id, wish.target, oldest_first=True, after=state.done.get(place.id))
    for copy in copies:
        if over():
            return False
        _judge(wish, copy, place.reader.list(copy.root), place, register, summary)
        state.keep(place.id, copy.place)
    return True


def _merged(wish: Wish, place: Place, register: Register, state: State, summary: Summary, over: _Over) -> bool:
    """One listing of everything beside the register's copies in the same order; whether the end was reached."""
    after = state.done.get(place.id)
    prefix = wish.target.prefix(place.location.prefix)
    begun = after[0] + _LAST if after else ""
    objects = _Ahead(place.reader.list(prefix, after=begun))
    for copy in register.copies(place.id, wish.target, oldest_first=False, after=after):
        if over():
            return False
        summary.add(_orphans(place, objects.below(copy.root)))
        own = objects.under(copy.root)
        _judge(wish, copy, own, place, register, summary)
        for _ in own:  # what a copy that could not be read left in the listing
            pass
        state.keep(place.id, copy.place)
    summary.add(_orphans(place, objects.rest()))
    return True


def _judge(
    wish: Wish, copy: Copy, listed: Iterator[Listed], place: Place, register: Register, summary: Summary
) -> None:
    summary.bags += 1
    sizes = lambda: register.sizes(copy, place.id)  # noqa: E731 - asked for when the manifests are read, if at all
    summary.add(judge(copy, listed, place, depth=wish.depth, sizes=sizes))


def _orphans(place: Place, objects: Iterator[Listed]) -> Iterator[Finding]:
    for item in objects:
        if not item.key.removeprefix(place.location.prefix).startswith(OURS):
            yield Finding(Sign.ORPHAN, place.id, item.key, "no registered bag version holds it", bytes=item.size)


class _Ahead:
    """A listing that can be looked at before it is taken."""

    def __init__(self, objects: Iterator[Listed]) -> None:
        self._objects = objects
        self._next = next(objects, None)

    def below(self, root: str) -> Iterator[Listed]:
        """What comes before everything that begins with `root`."""
        yield from self._while(lambda key: key.encode() < root.encode() and not key.startswith(root))

    def under(self, root: str) -> Iterator[Listed]:
        yield from self._while(lambda key: key.startswith(root))

    def rest(self) -> Iterator[Listed]:
        yield from self._while(lambda _: True)

    def _while(self, wanted: Callable[[str], bool]) -> Iterator[Listed]:
        while self._next is not None and wanted(self._next.key):
            taken, self._next = self._next, next(self._objects, None)
            yield taken
