"""Thawing within a budget: one decision at a time for all who wait, and nothing given away twice."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, func, select, text, update

from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.tables import replicas, segments
from common.ledger.thawing.admitting import Go, Later, Need, Terms, admit
from common.ledger.thawing.asking import Bill, billed, expiring, record, send_back
from common.ledger.thawing.tables import thaw_admissions, thaw_days, thaw_looks
from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.tiers import span
from unit.common.ledger.builders import Backfill, a_backfill, history, some_segments, state_of

GB = 10**9


def terms(**budget: Any) -> Terms:
    return Terms(location="cold", name="Glacier", budget=Budget(**budget), zone=UTC)


def need(backfill: Backfill, row_id: int, **facts: Any) -> Need:
    given = {"objects": 10, "bytes": GB, "cost": Decimal("0.5"), "span": span("GLACIER", Tier.BULK)} | facts
    return Need(kind="segment", row_id=row_id, ingest_id=backfill.ingest_id, **given)


def asked(engine: Engine, one: Need, within: Terms) -> Go | Later:
    with transaction(engine) as connection:
        return admit(connection, one, within)


def frozen(engine: Engine, number: int) -> tuple[Backfill, list[int]]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    return backfill, some_segments(engine, backfill, states=["thawing"] * number)


def moved(engine: Engine, row_id: int, *states: str) -> None:
    for state in states:
        with transaction(engine) as connection:
            connection.execute(update(segments).where(segments.c.id == row_id).values(state=state))


def looked_long_ago(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(thaw_looks).values(look_at=text("clock_timestamp() - interval '1 second'")))


def column(engine: Engine, name: str) -> Sequence[Any]:
    with transaction(engine) as connection:
        return connection.execute(select(thaw_admissions.c[name]).order_by(thaw_admissions.c.row_id)).scalars().all()


def test_whoever_fits_goes_and_the_others_are_told_why_not(engine: Engine) -> None:
    backfill, rows = frozen(engine, 3)
    two = terms(bytes_in_flight=2 * GB)

    answers = [asked(engine, need(backfill, row), two) for row in rows]

    assert answers[:2] == [Go(days=3, may_extend=True)] * 2
    assert isinstance(answers[2], Later)
    assert answers[2].why == "Waiting for the thaw budget of Glacier: 2.0 GB of 2.0 GB in flight"


def test_asking_twice_gives_the_same_and_takes_no_more(engine: Engine) -> None:
    backfill, (row,) = frozen(engine, 1)
    within = terms(bytes_in_flight=GB, requests_per_day=100)

    answers = {asked(engine, need(backfill, row), within) for _ in range(3)}

    with transaction(engine) as connection:
        day = connection.execute(select(thaw_days.c.bytes, thaw_days.c.requests, thaw_days.c.cost)).one()
    assert (answers, tuple(day)) == ({Go(days=3, may_extend=True)}, (GB, 10, Decimal("0.5")))


def test_what_was_copied_makes_room_and_those_who_wait_are_due_at_once(engine: Engine) -> None:
    backfill, (first, second, third) = frozen(engine, 3)
    one = terms(bytes_in_flight=GB)
    for row in (first, second, third):
        asked(engine, need(backfill, row), one)
    with transaction(engine) as connection:
        connection.execute(update(segments).values(due_at=text("clock_timestamp() + interval '1 day'")))
    moved(engine, first, "copying", "verifying")
    looked_long_ago(engine)

    answer = asked(engine, need(backfill, third), one)

    with transaction(engine) as connection:
        due = (
            connection.execute(select(segments.c.id).where(segments.c.due_at < text("clock_timestamp()")))
            .scalars()
            .all()
        )
    assert (isinstance(answer, Later), due) == (True, [second])
    assert asked(engine, need(backfill, second), one) == Go(days=3, may_extend=True)


def test_pitfall_25_a_cancelled_row_gives_back_what_it_held(engine: Engine) -> None:
    backfill, (first, second) = frozen(engine, 2)
    one = terms(bytes_in_flight=GB)
    asked(engine, need(backfill, first), one)
    moved(engine, first, "cancelled")

    assert asked(engine, need(backfill, second), one) == Go(days=3, may_extend=True)
    assert column(engine, "copied") == [False, False]


def test_what_froze_again_comes_into_the_line_again_and_counts_again(engine: Engine) -> None:
    backfill, (row,) = frozen(engine, 1)
    within = terms(requests_per_day=15)
    asked(engine, need(backfill, row), within)
    with transaction(engine) as connection:
        bill = Bill("GLACIER", "Bulk", 3, False, 10, GB, Decimal(1), "USD")
        record(connection, kind="segment", row_id=row, ingest_id=backfill.ingest_id, location="cold", bills=[bill])
    moved(engine, row, "copying", "thawing")

    answer = asked(engine, need(backfill, row), within)

    assert isinstance(answer, Later)
    assert answer.why == "Waiting for the thaw budget of Glacier: 10 of 15 requests for today are used"


def test_eight_workers_at_once_never_give_away_more_than_there_is(engine: Engine) -> None:
    """Fifteen of forty fit: by bytes sixteen would, by requests seventeen, by money fifteen."""
    backfill, rows = frozen(engine, 40)
    within = terms(bytes_in_flight=16 * GB, requests_per_day=175, cost_per_month=Decimal("7.5"))

    with ThreadPoolExecutor(8) as workers:
        answers = list(workers.map(lambda row: asked(engine, need(backfill, row), within), rows))
        again = list(workers.map(lambda row: asked(engine, need(backfill, row), within), rows))

    with transaction(engine) as connection:
        day = connection.execute(select(thaw_days.c.bytes, thaw_days.c.requests, thaw_days.c.cost)).one()
    assert sum(isinstance(answer, Go) for answer in answers) == sum(isinstance(answer, Go) for answer in again) == 15
    assert tuple(day) == (15 * GB, 150, Decimal("7.5"))


def test_priorities_of_replicas_decide_who_goes(engine: Engine) -> None:
    one = terms(bytes_in_flight=GB)
    (held, (taken,)), (calm, (usual,)), (urgent, (hurried,)) = (frozen(engine, 1) for _ in range(3))
    asked(engine, need(held, taken), one)
    asked(engine, need(calm, usual), one)
    asked(engine, need(urgent, hurried), one)
    with transaction(engine) as connection:
        connection.execute(update(replicas).where(replicas.c.id == urgent.replica_id).values(priority=5))
    moved(engine, taken, "copying", "verifying")
    looked_long_ago(engine)

    assert isinstance(asked(engine, need(calm, usual), one), Later)
    assert isinstance(asked(engine, need(urgent, hurried), one), Go)


def test_the_measured_copy_rate_holds_admissions_back(engine: Engine) -> None:
    """A row of 1 GB was copied every 50 minutes: half a window of 3 days is enough for 43 GB."""
    backfill, rows = frozen(engine, 8)
    for row in rows[:6]:
        asked(engine, need(backfill, row), terms())
        moved(engine, row, "copying", "verifying")
    with transaction(engine) as connection:
        for place, row in enumerate(rows[:6]):
            ago = timedelta(minutes=50 * (6 - place))
            connection.execute(
                update(thaw_admissions)
                .where(thaw_admissions.c.row_id == row)
                .values(readable_at=thaw_admissions.c.since - timedelta(days=1), released_at=func.now() - ago)
            )

    answers = [asked(engine, need(backfill, row, bytes=30 * GB), terms()) for row in rows[6:]]

    assert isinstance(answers[0], Go), "alone, everything fits"
    assert isinstance(answers[1], Later)
    assert "copying takes 333.3 KB a second and has 30.0 GB before it" in answers[1].why


def test_what_was_asked_for_is_added_up_by_class_tier_and_days(engine: Engine) -> None:
    backfill, (row,) = frozen(engine, 1)
    one = Bill("GLACIER", "Bulk", 3, False, 10, GB, Decimal("0.10"), "USD")
    more = Bill("GLACIER", "Bulk", 3, False, 5, GB, Decimal("0.05"), "USD")
    longer = Bill("GLACIER", "Bulk", 2, True, 15, 2 * GB, Decimal("0.01"), "USD", priced=False)
    with transaction(engine) as connection:
        for bills in ([one], [more, longer]):
            record(connection, kind="segment", row_id=row, ingest_id=backfill.ingest_id, location="cold", bills=bills)

        found = billed(connection, ingest_id=backfill.ingest_id)

    assert found == [longer, Bill("GLACIER", "Bulk", 3, False, 15, 2 * GB, Decimal("0.15"), "USD")]


def test_pitfall_09_copies_that_run_out_before_they_are_copied_are_prolonged_a_bounded_number_of_times(
    engine: Engine,
) -> None:
    backfill, (row,) = frozen(engine, 1)
    asked(engine, need(backfill, row), terms())
    went = []
    for _ in range(4):
        moved(engine, row, "copying")
        with transaction(engine) as connection:
            soon = connection.execute(text("SELECT clock_timestamp() + interval '1 hour'")).scalar_one()
            expiring(connection, kind="segment", row_id=row, at=soon)
        with transaction(engine) as connection:
            went.append(
                send_back(
                    connection,
                    location="cold",
                    margin=timedelta(hours=12),
                    most_extensions=3,
                    patience=Patience(),
                    at_most=10,
                )
            )
            bill = Bill("GLACIER", "Bulk", 2, True, 10, GB, Decimal(0), "USD")
            record(connection, kind="segment", row_id=row, ingest_id=backfill.ingest_id, location="cold", bills=[bill])

    assert (went, state_of(engine, segments, row)) == ([1, 1, 1, 0], "copying")
    assert history(engine, backfill.ingest_id) == [
        "Warming (Cold) going back - readable copies expire before it is their turn to be copied"
    ]


def test_a_row_that_somebody_copies_is_not_taken_from_him(engine: Engine) -> None:
    backfill, (row,) = frozen(engine, 1)
    asked(engine, need(backfill, row), terms())
    moved(engine, row, "copying")
    with transaction(engine) as connection:
        now = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        expiring(connection, kind="segment", row_id=row, at=now + timedelta(hours=1))
        connection.execute(update(segments).values(lease_until=now + timedelta(minutes=1)))
        gone = send_back(
            connection,
            location="cold",
            margin=timedelta(hours=12),
            most_extensions=3,
            patience=Patience(),
            at_most=10,
        )

    assert gone == 0
