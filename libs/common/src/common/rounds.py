"""Small files in rounds, each by one thread with several requests under way; larger ones by a thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from common.domain.segment import PlannedFile
from common.pools import Pools, in_parallel
from common.ports import ObjectStore
from common.processors import Inside, for_files

T = TypeVar("T")

LIGHT = 512 * 1024 - 1
"""Bytes: what a file in a round has at most. From the next one on hashing two at a time pays more (docs/adr/0023)."""
_LONGEST = 8
"""Files in a round for each request that may be under way: at its end some have nothing left to ask for."""
_MOST = 8 << 20
"""Bytes of a round, which are held in memory together."""


class Rounds:
    """How a process looks after the files of a segment."""

    def __init__(self, *, pools: Pools, at_once: int, name: str, stores: Sequence[ObjectStore]) -> None:
        self._pools = pools
        self._at_once = at_once
        """Files under way at the same time."""
        self._name = name
        self._light = LIGHT if all(store.takes_several for store in stores) else -1

    def each(
        self,
        files: Sequence[PlannedFile],
        *,
        several: Callable[[Sequence[PlannedFile], int], Sequence[T | None]],
        one: Callable[[PlannedFile], T],
    ) -> list[T]:
        """What `several` returns for rounds of small files, of which so many may be under way, and `one` for each
        larger file and those for which `several` returned None; in the files' order. Raises what they raise, as
        `in_parallel` does."""
        done: dict[int, T] = {}

        def together(places: Sequence[int]) -> None:
            found = several([files[place] for place in places], self._at_once)
            done.update((place, it) for place, it in zip(places, found, strict=True) if it is not None)

        def alone(place: int) -> None:
            done[place] = one(files[place])

        light = [place for place, file in enumerate(files) if file.size <= self._light]
        rounds = list(_cut(light, files, at_once=self._at_once))
        in_parallel(together, rounds, pools=self._pools, workers=1, name=self._name, inside=_inside(light, files))
        rest = [place for place in range(len(files)) if place not in done]
        in_parallel(alone, rest, pools=self._pools, workers=self._at_once, name=self._name, inside=_inside(rest, files))
        return [done[place] for place in range(len(files))]


def _inside(places: Sequence[int], files: Sequence[PlannedFile]) -> Inside:
    return for_files([files[place].size for place in places])


def _cut(places: Iterable[int], files: Sequence[PlannedFile], *, at_once: int) -> Iterator[list[int]]:
    """The first round is short: it shows whether an earlier attempt has done all this already."""
    held, bytes_held, most = list[int](), 0, at_once
    for place in places:
        if held and (len(held) == most or bytes_held + files[place].size > _MOST):
            yield held
            held, bytes_held, most = [], 0, _LONGEST * at_once
        held.append(place)
        bytes_held += files[place].size
    if held:
        yield held
