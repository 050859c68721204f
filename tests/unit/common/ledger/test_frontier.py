"""Which rows of a growing table may be told, while transactions commit in another order than their ids."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from common.ledger import events
from common.ledger.engine import reading, transaction
from common.ledger.feed import Reader
from common.ledger.frontier import Frontier
from unit.common.ledger.builders import a_backfill

Step = tuple[str, Sequence[int]]
"""Who writes, a letter each, and which ids are visible then."""


@pytest.mark.parametrize(
    ("steps", "at"),
    [
        pytest.param([("", [11, 12])], 12, id="what follows without a gap is told at once"),
        pytest.param([("", [11, 13])], 11, id="a gap holds back what is behind it"),
        pytest.param([("", [11, 13]), ("", [13])], 13, id="nobody could fill it any more"),
        pytest.param([("", [11, 13]), ("a", [13])], 11, id="somebody may"),
        pytest.param([("", [11, 13]), ("a", [13]), ("a", [12, 13])], 13, id="somebody did"),
        pytest.param([("", [11, 13]), ("a", [13]), ("b", [13])], 13, id="they did not, and newer ones cannot"),
        pytest.param([("", [11, 13]), ("ab", [13]), ("bc", [13])], 11, id="one of several still may"),
        pytest.param([("", [11, 13]), ("a", [13, 15]), ("b", [13, 15])], 13, id="a later gap has a wait of its own"),
        pytest.param([("", [11, 13]), ("a", [13, 15]), ("b", [13, 15]), ("", [15])], 15, id="and an end of its own"),
        pytest.param([("", [11, 13]), ("", [13, 14, 16])], 14, id="what follows a closed gap is told with it"),
    ],
)
def test_a_gap_stays_one_when_nobody_is_left_who_could_fill_it(steps: list[Step], at: int) -> None:
    frontier = Frontier(seen=10)
    frontier.advance(writing=frozenset(), ids=[])
    for writing, ids in steps:
        frontier.advance(writing=frozenset(writing), ids=ids)
    assert frontier.at == at


def test_reading_begins_where_nothing_is_being_written_any_more() -> None:
    frontier = Frontier(seen=10)
    told = []
    for writing in ("ab", "b", "c"):
        frontier.advance(writing=frozenset(writing), ids=[])
        told.append(frontier.at)
    assert told == [None, None, 10]


def test_a_transaction_that_commits_late_is_not_skipped(engine: Engine) -> None:
    one, other = a_backfill(engine).ingest_id, a_backfill(engine).ingest_id
    with reading(engine) as connection:
        reader = Reader(connection)
        assert told(reader, connection) == []
        with engine.connect() as slow, engine.connect() as quick, engine.connect() as idle:
            idle.execute(text("SELECT txid_current()"))  # writes, but to nothing that we read
            write(slow, one, "first")
            write(quick, other, "second")
            quick.commit()
            early = [told(reader, connection) for _ in range(3)]
            slow.commit()
            late = told(reader, connection)
            idle.rollback()

    assert (early, late) == ([[], [], []], ["First", "Second"])


def test_a_transaction_that_is_rolled_back_holds_nothing_up(engine: Engine) -> None:
    one, other = a_backfill(engine).ingest_id, a_backfill(engine).ingest_id
    with reading(engine) as connection:
        reader = Reader(connection)
        told(reader, connection)
        with engine.connect() as undone:
            write(undone, one, "never")
            with transaction(engine) as quick:
                write(quick, other, "second")
            before = told(reader, connection)
            undone.rollback()
        after = [sentence for _ in range(2) for sentence in told(reader, connection)]

    assert (before, after) == ([], ["Second"])


def test_who_begins_to_read_waits_for_what_is_being_written(engine: Engine) -> None:
    one, other = a_backfill(engine).ingest_id, a_backfill(engine).ingest_id
    with reading(engine) as connection, engine.connect() as slow:
        write(slow, one, "first")
        with transaction(engine) as quick:
            write(quick, other, "second")
        reader = Reader(connection)
        told(reader, connection)
        while_written = reader.at
        slow.commit()
        told(reader, connection)

    assert (while_written is None, reader.at is None) == (True, False)


def write(connection: Connection, ingest: UUID, what: str) -> None:
    events.add(connection, ingest, what)


def told(reader: Reader, connection: Connection) -> list[str]:
    return [news.description for news in reader.look(connection, limit=100)]
