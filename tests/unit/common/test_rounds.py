"""Which files go together, and what becomes of those that could not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.domain.segment import PlannedFile
from common.pools import InTurn
from common.rounds import LIGHT, Rounds
from unit.common.runtime.archives import Archive, Watched


def files(*sizes: int) -> list[PlannedFile]:
    return [PlannedFile(f"data/{number}", f"v1/data/{number}", size, {}, "e") for number, size in enumerate(sizes)]


class Told:
    """Remembers who came together and who came alone, and leaves those of some sizes alone."""

    def __init__(self, *, left: Sequence[int] = ()) -> None:
        self.rounds: list[list[int]] = []
        self.alone: list[int] = []
        self._left = left

    def several(self, files: Sequence[PlannedFile], at_once: int) -> list[str | None]:
        self.rounds.append([file.size for file in files])
        return [None if file.size in self._left else f"{file.path} of {at_once}" for file in files]

    def one(self, file: PlannedFile) -> str:
        self.alone.append(file.size)
        return f"{file.path} alone"


def rounds(*, at_once: int = 2, takes_several: bool = True) -> Rounds:
    stores: list[Watched] = [Archive().source]
    stores[0].takes_several = takes_several
    return Rounds(pools=InTurn, at_once=at_once, name="test", stores=stores)


def test_small_files_go_in_rounds_the_first_of_them_short_and_larger_ones_alone() -> None:
    told = Told()

    found = rounds().each(files(LIGHT + 1, *range(20), LIGHT), several=told.several, one=told.one)

    assert told.rounds == [[0, 1], [*range(2, 18)], [18, 19, LIGHT]]
    assert told.alone == [LIGHT + 1]
    assert found == ["data/0 alone", *[f"data/{n} of 2" for n in range(1, 22)]]


def test_a_round_holds_8_mib_at_most() -> None:
    told = Told()

    rounds(at_once=64).each(files(*[LIGHT] * 40), several=told.several, one=told.one)

    assert [len(sizes) for sizes in told.rounds] == [16, 16, 8]
    assert not told.alone


def test_who_was_left_goes_alone_and_the_order_stays() -> None:
    told = Told(left=[1, 3])

    found = rounds(at_once=8).each(files(0, 1, 2, 3), several=told.several, one=told.one)

    assert told.alone == [1, 3]
    assert found == ["data/0 of 8", "data/1 alone", "data/2 of 8", "data/3 alone"]


def test_where_a_store_does_not_take_several_everybody_goes_alone() -> None:
    told = Told()

    rounds(takes_several=False).each(files(0, 1, 2), several=told.several, one=told.one)

    assert (told.rounds, told.alone) == ([], [0, 1, 2])


def test_those_that_go_alone_go_at_the_same_time() -> None:
    together = threading.Barrier(4)

    def one(file: PlannedFile) -> int:
        return together.wait(5)

    found = Rounds(pools=ThreadPoolExecutor, at_once=4, name="test", stores=[Archive().source]).each(
        files(*range(4)), several=lambda files, _: [None] * len(files), one=one
    )

    assert sorted(found) == [0, 1, 2, 3]


def test_what_a_round_raises_ends_it_all() -> None:
    told = Told()

    def several(files: Sequence[PlannedFile], at_once: int) -> list[str | None]:
        told.several(files, at_once)
        raise KeyError("enough")

    with pytest.raises(KeyError):
        rounds().each(files(*range(9)), several=several, one=told.one)

    assert (len(told.rounds), told.alone) == (1, [])


def test_no_files_are_no_rounds() -> None:
    told = Told()

    assert rounds().each([], several=told.several, one=told.one) == []
    assert (told.rounds, told.alone) == ([], [])
