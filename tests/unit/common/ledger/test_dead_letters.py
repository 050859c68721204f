"""Dead letters: found, done again or let be; never deleted, and decided about once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, text

from common.errors import AlreadyResolved, NotRedrivable
from common.ledger import actions, dead_letters, failing
from common.ledger.beginning import begin
from common.ledger.claims import Patience
from common.ledger.dead_letters import DeadLetter
from common.ledger.engine import transaction
from common.ledger.operating import Decision
from common.ledger.redriving import Redriven, discard, redrive
from common.ledger.tables import imports, ingests
from common.topology import COPYING, IMPORTING, Stage
from unit.common.ledger.builders import Backfill, a_backfill, hints, history, locations_exist, some_segments, state_of

PATIENCE = Patience(attempts=1)
WHY = Decision(who="ada", why="the disk was full")
POISON = "bag_warmer_planning_backfill"


def gives_up(engine: Engine, stage: Stage, row_id: int) -> None:
    with transaction(engine) as connection:
        begun = begin(connection, stage=stage, row_id=row_id, worker="w", patience=PATIENCE)
        assert begun is not None
        failing.try_again(connection, begun.claim, why="timeout", patience=PATIENCE, random=Random(1))


def given_up(engine: Engine) -> Backfill:
    backfill = a_backfill(engine, state="transferring", status="processing")
    (row,) = some_segments(engine, backfill, states=["copying"])
    gives_up(engine, COPYING, row)
    return backfill


def poisoned(engine: Engine, body: bytes, queue: str = POISON) -> None:
    with transaction(engine) as connection:
        failing.dead_letter(connection, queue=queue, body=body, code="not_a_hint", reason="not JSON")


def letters(engine: Engine, **asked: object) -> list[DeadLetter]:
    with transaction(engine) as connection:
        return dead_letters.page(connection, limit=asked.pop("limit", 100), **asked)  # type: ignore[arg-type]


def redriven(engine: Engine, letter_id: int, new_id: UUID | None = None) -> Redriven | None:
    with transaction(engine) as connection:
        return redrive(connection, letter_id=letter_id, new_id=new_id or uuid4(), decision=WHY, patience=PATIENCE)


def discarded(engine: Engine, letter_id: int) -> DeadLetter | None:
    with transaction(engine) as connection:
        return discard(connection, letter_id=letter_id, decision=WHY)


def decisions(engine: Engine, letter_id: int) -> list[tuple[str, str, str]]:
    with transaction(engine) as connection:
        return [(a.who, a.what, a.why) for a in actions.actions_on(connection, f"dead_letter:{letter_id}")]


def test_a_row_that_is_given_up_and_its_dead_letter_are_there_together(engine: Engine) -> None:
    backfill = given_up(engine)

    (letter,) = letters(engine)
    assert (letter.stage, letter.kind, letter.ingest_id, letter.code, letter.reason, letter.attempts) == (
        "copying", "segment", backfill.ingest_id, "attempts_exhausted", "timeout", 1,
    )  # fmt: skip
    assert (letter.resolution, state_of(engine, ingests, backfill.ingest_id)) == (None, "failed")


def test_pages_are_cut_by_what_is_asked_for_newest_first(engine: Engine) -> None:
    first, second = given_up(engine), given_up(engine)
    poisoned(engine, b"\xff")
    poisoned(engine, b"{}", queue="somebody_elses")
    one, two, three, four = sorted(letter.id for letter in letters(engine))
    discarded(engine, two)

    def found(**asked: object) -> list[int]:
        return [letter.id for letter in letters(engine, **asked)]

    assert found() == [four, three, two, one]
    assert found(limit=2) == [four, three]
    assert found(before=three) == [two, one]
    assert found(stage="copying") == [two, one]
    assert found(stage="planning", is_open=True) == [three]
    assert found(stage="unheard of") == []
    assert found(code="not_a_hint") == [four, three]
    assert found(is_open=False) == [two]
    assert found(ingest_id=first.ingest_id) == [one]
    assert found(ingest_id=second.ingest_id, is_open=True) == []


def test_a_dead_letter_of_an_ingest_is_redriven_by_a_new_ingest(engine: Engine) -> None:
    backfill, new_id = given_up(engine), uuid4()
    (letter,) = letters(engine)

    answer = redriven(engine, letter.id, new_id)

    assert answer == Redriven(ingest_id=new_id)
    assert state_of(engine, ingests, backfill.ingest_id) == "failed"
    (after,) = letters(engine)
    assert (after.resolution, after.redriven_as, after.resolved_at is not None) == ("redriven", new_id, True)
    assert decisions(engine, letter.id) == [("ada", "dead letter redriven", "the disk was full")]
    assert history(engine, new_id) == [f"Retry of {backfill.ingest_id}, asked for by ada - the disk was full"]


def test_a_dead_letter_of_an_import_is_redriven_by_a_new_import(engine: Engine) -> None:
    with transaction(engine) as connection:
        locations_exist(connection)
        failed = connection.execute(
            imports.insert().values(location_id="cold", prefix="digitised/", state="walking").returning(imports.c.id)
        ).scalar_one()
    gives_up(engine, IMPORTING, failed)
    (letter,) = letters(engine)

    answer = redriven(engine, letter.id)

    with transaction(engine) as connection:
        rows = connection.execute(select(imports.c.id, imports.c.prefix, imports.c.state).order_by(imports.c.id)).all()
    assert [tuple(row) for row in rows] == [
        (failed, "digitised/", "failed"),
        (failed + 1, "digitised/", "walking"),
    ]
    assert answer == Redriven(import_id=failed + 1)
    assert letters(engine)[0].resolution == "redriven"


def test_a_hint_that_an_older_release_refused_goes_back_to_its_queue(engine: Engine) -> None:
    poisoned(engine, b'{"replica_id":7,"type":"ReplicaRequested"}')
    (letter,) = letters(engine)

    assert redriven(engine, letter.id) == Redriven()
    assert hints(engine) == [(POISON, '{"replica_id":7,"type":"ReplicaRequested"}')]


@pytest.mark.parametrize(
    ("queue", "body"),
    [
        (POISON, b"\x80\x04pickle"),
        (POISON, b'{"segment_id":7,"type":"SegmentThawed"}'),
        ("somebody_elses", b'{"replica_id":7,"type":"ReplicaRequested"}'),
    ],
)
def test_a_message_that_is_none_of_ours_is_not_redriven_but_discarded(engine: Engine, queue: str, body: bytes) -> None:
    poisoned(engine, body, queue)
    (letter,) = letters(engine)

    with pytest.raises(NotRedrivable, match="discard it"):
        redriven(engine, letter.id)
    closed = discarded(engine, letter.id)

    assert closed is not None
    assert (closed.resolution, closed.body, hints(engine)) == ("discarded", letter.body, [])


def test_a_discarded_dead_letter_is_told_to_its_ingest_and_decided_about_once(engine: Engine) -> None:
    backfill = given_up(engine)
    (letter,) = letters(engine)
    discarded(engine, letter.id)

    for again in (redriven, discarded):
        with pytest.raises(AlreadyResolved, match="is discarded already"):
            again(engine, letter.id)

    assert history(engine, backfill.ingest_id)[-1] == f"Dead letter {letter.id} discarded by ada - the disk was full"
    assert decisions(engine, letter.id) == [("ada", "dead letter discarded", "the disk was full")]


def test_however_many_redrive_at_once_one_new_ingest_comes_of_it(engine: Engine) -> None:
    given_up(engine)
    (letter,) = letters(engine)

    def attempt(_: int) -> UUID | None:
        try:
            answer = redriven(engine, letter.id)
        except AlreadyResolved:
            return None
        return answer.ingest_id if answer else None

    with ThreadPoolExecutor(8) as pool:
        started = set(pool.map(attempt, range(8))) - {None}

    assert len(started) == 1
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM ingests WHERE retry_of IS NOT NULL")).scalar_one() == 1


def test_nothing_is_known_of_a_dead_letter_that_does_not_exist(engine: Engine) -> None:
    assert (redriven(engine, 99), discarded(engine, 99)) == (None, None)
