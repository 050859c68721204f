"""Reading for many at once: who gets what, whatever happens to the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest

from common.errors import LedgerUnavailable
from ingests_api.gathering import Gathered

IDS = [UUID(int=number) for number in range(1, 7)]


class Shelf:
    """Answers with the number of the read; the first read lasts until it is let go on."""

    def __init__(self, failing: Mapping[UUID, Exception] | None = None) -> None:
        self.reads: list[list[UUID]] = []
        self.go_on = threading.Event()
        self._failing = failing or {}

    def read(self, ingest_ids: Sequence[UUID]) -> dict[UUID, int]:
        self.reads.append(list(ingest_ids))
        number = len(self.reads)
        if number == 1:
            assert self.go_on.wait(10)
        for ingest_id in ingest_ids:
            if ingest_id in self._failing:
                raise self._failing[ingest_id]
        return dict.fromkeys((one for one in ingest_ids if one != IDS[-1]), number)


async def ask(shelf: Shelf, *, first: UUID, others: Sequence[UUID], most: int = 64) -> list[int | BaseException | None]:
    """What each is answered, when the others ask while the first is read for."""
    gathered = Gathered(shelf.read, readers=1, most=most)
    asking = [asyncio.create_task(gathered.find(first))]
    while not shelf.reads:
        await asyncio.sleep(0)
    asking += [asyncio.create_task(gathered.find(one)) for one in others]
    await asyncio.sleep(0)
    shelf.go_on.set()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_who_comes_while_others_are_read_for_is_read_for_with_one_statement() -> None:
    shelf = Shelf()
    answers = asyncio.run(ask(shelf, first=IDS[0], others=[IDS[1], IDS[2], IDS[5]]))

    assert (answers, shelf.reads) == ([1, 2, 2, None], [[IDS[0]], [IDS[1], IDS[2], IDS[5]]])


def test_nobody_gets_what_was_read_before_they_asked() -> None:
    shelf = Shelf()
    answers = asyncio.run(ask(shelf, first=IDS[0], others=[IDS[0], IDS[0]]))

    assert (answers, shelf.reads) == ([1, 2, 2], [[IDS[0]], [IDS[0]]])


def test_one_statement_reads_for_so_many_and_no_more() -> None:
    shelf = Shelf()
    answers = asyncio.run(ask(shelf, first=IDS[0], others=IDS[1:5], most=3))

    assert (answers, shelf.reads) == ([1, 2, 2, 2, 3], [[IDS[0]], IDS[1:4], [IDS[4]]])


def test_one_that_cannot_be_read_fails_alone() -> None:
    broken = ValueError("no such provider")
    shelf = Shelf({IDS[2]: broken})
    answers = asyncio.run(ask(shelf, first=IDS[0], others=IDS[1:4]))

    assert answers == [1, 3, broken, 5]


def test_a_ledger_that_does_not_answer_is_not_asked_again_for_each() -> None:
    away = LedgerUnavailable("away")
    shelf = Shelf({IDS[2]: away})
    answers = asyncio.run(ask(shelf, first=IDS[0], others=IDS[1:4]))

    assert (answers, len(shelf.reads)) == ([1, away, away, away], 2)


def test_who_goes_away_takes_no_answer_from_others() -> None:
    async def leaving() -> list[int | BaseException | None]:
        shelf = Shelf()
        gathered = Gathered(shelf.read, readers=1)
        asking = [asyncio.create_task(gathered.find(one)) for one in (IDS[0], IDS[1], IDS[1])]
        while not shelf.reads:
            await asyncio.sleep(0)
        asking[0].cancel()
        asking[1].cancel()
        await asyncio.sleep(0)
        shelf.go_on.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    gone, also_gone, stayed = asyncio.run(leaving())
    assert ([type(one) for one in (gone, also_gone)], stayed) == ([asyncio.CancelledError] * 2, 1)


@pytest.mark.parametrize("readers", [1, 2])
def test_so_many_read_at_a_time(readers: int) -> None:
    """While the first read lasts, a second reader goes on with the others."""

    async def reading() -> bool:
        shelf = Shelf()
        gathered = Gathered(shelf.read, readers=readers)
        first = asyncio.create_task(gathered.find(IDS[0]))
        while not shelf.reads:
            await asyncio.sleep(0)
        second = asyncio.create_task(gathered.find(IDS[1]))
        done, _ = await asyncio.wait([second], timeout=0.3)
        shelf.go_on.set()
        await asyncio.gather(first, second)
        return bool(done)

    assert asyncio.run(reading()) == (readers == 2)
