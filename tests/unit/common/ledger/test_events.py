"""Histories grow at their end only, whatever number of workers tell them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from uuid import UUID

import pytest
from sqlalchemy import Engine

from common.ledger import claims, events, operating
from common.ledger.beginning import begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.ledger.operating import CANCEL, Decision
from common.ledger.settling import settle
from common.outcome import Rejected
from common.topology import COPYING
from unit.common.ledger.builders import Backfill, a_backfill, some_segments

WAITS = 0.3
"""Seconds after which somebody who has not come through waits, as far as these tests are concerned."""


def told(engine: Engine, ingest_id: UUID, description: str, once: str | None = None) -> None:
    with transaction(engine) as connection:
        events.add(connection, ingest_id, description, once=once)


def read(engine: Engine, ingest_id: UUID) -> list[str]:
    """As the API tells it."""
    with transaction(engine) as connection:
        found = find_ingest(connection, ingest_id)
    assert found is not None
    return [event.description for event in found.events]


def waits(somebody: Future[None]) -> bool:
    with pytest.raises(StillWaiting):
        somebody.result(timeout=WAITS)
    return True


def test_what_is_told_later_is_seen_later(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as slow:
            events.add(slow, backfill.ingest_id, "replicating started")
            quick = pool.submit(told, engine, backfill.ingest_id, "warming succeeded")
            assert waits(quick)
            assert read(engine, backfill.ingest_id) == []
        quick.result(timeout=10)

    assert read(engine, backfill.ingest_id) == ["Replicating started", "Warming succeeded"]


def test_histories_of_two_ingests_do_not_wait_for_each_other(engine: Engine) -> None:
    one, other = a_backfill(engine), a_backfill(engine)
    with ThreadPoolExecutor() as pool, transaction(engine) as slow:
        events.add(slow, one.ingest_id, "planning started")
        pool.submit(told, engine, other.ingest_id, "planning started").result(timeout=10)


def test_what_has_been_told_already_waits_for_nobody(engine: Engine) -> None:
    backfill = a_backfill(engine)
    told(engine, backfill.ingest_id, "warming started", once="thawing:started")
    with ThreadPoolExecutor() as pool, transaction(engine) as slow:
        events.add(slow, backfill.ingest_id, "warming succeeded")
        again = pool.submit(told, engine, backfill.ingest_id, "warming started", once="thawing:started")
        again.result(timeout=10)


def test_two_who_tell_the_same_tell_it_once(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as slow:
            events.add(slow, backfill.ingest_id, "warming started", once="thawing:started")
            second = pool.submit(told, engine, backfill.ingest_id, "warming started", once="thawing:started")
            assert waits(second)
        second.result(timeout=10)

    assert read(engine, backfill.ingest_id) == ["Warming started"]


def test_what_was_not_told_in_the_end_holds_nobody_up(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with ThreadPoolExecutor() as pool, transaction(engine) as slow:
        nested = slow.begin_nested()
        events.add(slow, backfill.ingest_id, "replicating started")
        nested.rollback()
        pool.submit(told, engine, backfill.ingest_id, "warming succeeded").result(timeout=10)

    assert read(engine, backfill.ingest_id) == ["Warming succeeded"]


def rejected(engine: Engine, _: Backfill, claim: Claim) -> None:
    with transaction(engine) as connection:
        settle(connection, claim, Rejected("c", "why", "for the user"), patience=Patience(), build="b")


def cancelled(engine: Engine, backfill: Backfill, _: Claim) -> None:
    with transaction(engine) as connection:
        operating.end(connection, ingest_id=backfill.ingest_id, ending=CANCEL, decision=Decision("somebody", "why"))


@pytest.mark.parametrize("end", [rejected, cancelled])
def test_who_ends_an_ingest_and_who_begins_a_segment_of_it_do_not_wait_for_each_other(
    engine: Engine, end: Callable[[Engine, Backfill, Claim], None]
) -> None:
    backfill = a_backfill(engine, state="transferring")
    first, second = some_segments(engine, backfill, states=["copying", "copying"])
    with transaction(engine) as connection:
        begun = begin(connection, stage=COPYING, row_id=first, worker="a", patience=Patience())
    assert begun is not None

    with ThreadPoolExecutor() as pool:
        with transaction(engine) as beginning:
            claims.take(beginning, stage=COPYING, row_id=second, worker="b", patience=Patience())
            ending = pool.submit(end, engine, backfill, begun.claim)
            assert waits(ending)
            events.add(beginning, backfill.ingest_id, "replicating retrying - worker gone stopped answering")
        ending.result(timeout=10)

    told = read(engine, backfill.ingest_id)
    assert told[:2] == ["Replicating to Azure started", "Replicating retrying - worker gone stopped answering"]
    assert len(told) == 3
