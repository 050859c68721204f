"""Batches in the ledger: gathered, sent once, looked at when due, and told to those who wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, text

from bag_warmer.batches import LedgerRequests, Send, note_answer, read_answer
from bag_warmer.billing import Billing
from common.domain.location import LocationId
from common.errors import AccessDenied, BackfillError, NotFound, StoreUnavailable
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.spending import Restores, spent
from common.ledger.tables import segments
from common.ledger.thaw_tables import batches
from common.ledger.thawing.admitting import Need, Terms, admit
from common.ledger.thawing.asking import Bill, billed
from common.ledger.thawing.tables import thaw_admissions
from common.ports import BatchOrder, BatchStatus, Family, ObjectInfo, Restore, Tier
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from common.thawing.tiers import span
from unit.common.ledger.builders import a_backfill, some_segments

GIB = 2**30
BILLING = Billing(read_prices(), {LocationId("cold"): "us-east-1"})


@dataclass
class Store:
    """A BatchRestores in memory."""

    orders: list[BatchOrder] = field(default_factory=list)
    status: BatchStatus = field(default_factory=lambda: BatchStatus("Active", ended=False, complete=False))
    bad: dict[str, Restore | BackfillError] = field(default_factory=dict)
    crash: bool = False

    def submit(self, order: BatchOrder) -> str:
        self.orders.append(order)
        if self.crash:
            raise StoreUnavailable("the answer was lost")
        return f"job-{order.token}"

    def look(self, batch_id: str) -> BatchStatus:
        assert batch_id.startswith("job-")
        return self.status

    def failures(self, batch_id: str, token: str) -> Iterator[tuple[str, Restore | BackfillError]]:
        assert batch_id == f"job-{token}"
        yield from self.bad.items()


def segments_that_gather(engine: Engine, number: int, *, objects: int = 2) -> list[int]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    rows = some_segments(engine, backfill, states=["thawing"] * number, hinted=False)
    for row in rows:
        infos = [ObjectInfo(f"{row}/{n}", GIB, "e", storage_class="GLACIER") for n in range(objects)]
        LedgerRequests(engine).gather(row, family=Family.COPY, objects=infos, tier=Tier.BULK, days=3, tag=None)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE segments SET due_at = now() + interval '1 hour'"))
    return rows


def chore(engine: Engine, store: Store, *, threshold: int, gather: timedelta = timedelta(hours=1)) -> Send:
    return Send(engine, "cold", store, threshold, gather, BILLING, Patience())


def due(engine: Engine) -> list[int]:
    with transaction(engine) as connection:
        found = connection.execute(select(segments.c.id).where(segments.c.hinted | (segments.c.due_at < text("now()"))))
        return sorted(found.scalars())


def let_time_pass(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE batches SET next_check_at = next_check_at - interval '1 hour'"))


def test_enough_objects_make_one_batch_whose_end_is_told_to_every_segment(engine: Engine) -> None:
    first, second = segments_that_gather(engine, 2)
    store = Store(bad={f"{first}/1": NotFound("NoSuchKey")})
    send = chore(engine, store, threshold=4)

    send()
    store.status = BatchStatus("Complete", ended=True, complete=True)
    send()
    not_due = due(engine)
    let_time_pass(engine)
    send()

    [order] = store.orders
    keys = [(f"{row}/{n}", None) for row in (first, second) for n in range(2)]
    assert order == BatchOrder(order.token, keys, Tier.BULK, 3)
    assert (not_due, due(engine)) == ([], [first, second])
    requests = LedgerRequests(engine)
    assert [str(error) for error in requests.of(first)[Family.COPY].failures.values()] == ["NoSuchKey"]
    assert (requests.of(second)[Family.COPY].failures, requests.of(second)[Family.COPY].over) == ({}, False)


def test_what_a_batch_asked_for_is_in_the_books_once_and_takes_from_what_its_segment_may_ask_for(
    engine: Engine,
) -> None:
    (row,) = segments_that_gather(engine, 1, objects=4)
    with transaction(engine) as connection:
        ingest_id = connection.execute(select(segments.c.ingest_id)).scalar_one()
        admit(
            connection,
            Need("segment", row, ingest_id, 4, 4 * GIB, Decimal(1), span("GLACIER", Tier.BULK)),
            Terms("cold", "Glacier", Budget(), UTC),
        )
    store = Store(bad={f"{row}/1": NotFound("NoSuchKey")})
    send = chore(engine, store, threshold=4)
    send()
    store.status = BatchStatus("Complete", ended=True, complete=True)
    let_time_pass(engine)
    send()
    send()

    with transaction(engine) as connection:
        bills = billed(connection, ingest_id=ingest_id)
        left = connection.execute(select(thaw_admissions.c.left_objects)).scalar_one()
        restores = spent(connection, ingest_id=ingest_id).restores
    # Three of four gigabytes, by Bulk: a readable copy for three days of a month at 2.3 cents.
    assert bills == [Bill("GLACIER", "Bulk", 3, False, 3, 3 * GIB, Decimal("0.0069"), "USD")]
    assert (left, restores) == (1, (Restores("Bulk", 3, 3, 3 * GIB),))


def test_a_batch_that_was_not_carried_out_costs_nothing(engine: Engine) -> None:
    segments_that_gather(engine, 1)
    store = Store(status=BatchStatus("Failed", ended=True, complete=False))
    send = chore(engine, store, threshold=1)
    send()
    let_time_pass(engine)
    send()

    with transaction(engine) as connection:
        ingest_id = connection.execute(select(segments.c.ingest_id)).scalar_one()
        assert billed(connection, ingest_id=ingest_id) == []


def test_pitfall_22_a_batch_whose_answer_was_lost_is_sent_again_with_its_token(engine: Engine) -> None:
    segments_that_gather(engine, 1)
    store = Store(crash=True)
    send = chore(engine, store, threshold=2)

    with pytest.raises(StoreUnavailable):
        send()
    store.crash = False
    send()
    send()

    assert len(store.orders) == 2
    assert store.orders[0] == store.orders[1]
    with transaction(engine) as connection:
        assert [row.state for row in connection.execute(select(batches))] == ["sent"]


def test_too_few_objects_wait_for_others_and_then_are_asked_for_by_themselves(engine: Engine) -> None:
    [row] = segments_that_gather(engine, 1)
    store = Store()

    chore(engine, store, threshold=3)()
    waiting = LedgerRequests(engine).of(row)[Family.COPY].over
    chore(engine, store, threshold=3, gather=timedelta(0))()

    assert (waiting, LedgerRequests(engine).of(row)[Family.COPY].over) == (False, True)
    assert (due(engine), store.orders) == ([row], [])


def test_a_batch_that_failed_leaves_its_objects_to_their_segments(engine: Engine) -> None:
    [row] = segments_that_gather(engine, 1)
    store = Store(status=BatchStatus("Failed", ended=True, complete=False, why="too many"))
    send = chore(engine, store, threshold=1)
    send()
    let_time_pass(engine)
    send()

    assert LedgerRequests(engine).of(row)[Family.COPY].over
    with transaction(engine) as connection:
        [batch] = connection.execute(select(batches))
    assert (batch.state, batch.status, batch.why) == ("ended", "Failed", "too many")


def test_pitfall_25_what_was_cancelled_meanwhile_is_in_no_batch(engine: Engine) -> None:
    kept, gone = segments_that_gather(engine, 2)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE segments SET state = 'failed' WHERE id = :id"), {"id": gone})
    store = Store()

    chore(engine, store, threshold=1)()

    assert [order.objects for order in store.orders] == [[(f"{kept}/0", None), (f"{kept}/1", None)]]


@pytest.mark.parametrize("answer", [Restore.IN_PROGRESS, AccessDenied("no"), NotFound("gone")])
def test_an_answer_is_read_as_it_was_noted(answer: Restore | BackfillError) -> None:
    again = read_answer(note_answer(answer))

    assert (type(again), str(again)) == (type(answer), str(answer))
