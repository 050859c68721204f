"""What is heard of restores wakes those who wait, and nobody else; and nothing that was told is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update

from common.domain.restore import Happened, RestoreEvent
from common.ledger import claims, restores, settling
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.tables import replicas, segments
from common.ledger.thaw_tables import restore_events, restore_waits
from common.outcome import Awaited, Done, Wait
from common.topology import PLANNING, THAWING
from unit.common.ledger.builders import a_backfill, some_segments

PATIENCE = Patience()
A_WHILE = timedelta(hours=1)


def completed(*keys: str, bucket: str = "archive") -> list[RestoreEvent]:
    return [RestoreEvent(Happened.COMPLETED, bucket, key) for key in keys]


def heard(engine: Engine, events: list[RestoreEvent]) -> int:
    """As the listener does it; returns how many rows were woken."""
    with transaction(engine) as connection:
        ready = restores.hear(connection, events)
    woken = 0
    for kind, row_id in ready:
        with transaction(engine) as connection:
            woken += restores.wake(connection, kind=kind, row_id=row_id, patience=PATIENCE)
    return woken


def thawing(engine: Engine, number: int = 1) -> list[int]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    return some_segments(engine, backfill, states=["thawing"] * number)


def taken(engine: Engine, row_id: int) -> Claim:
    with transaction(engine) as connection:
        claim = claims.take(connection, stage=THAWING, row_id=row_id, worker="w", patience=PATIENCE)
    assert claim is not None
    return claim


def waits(engine: Engine, row_id: int, *keys: str, bucket: str = "archive", looked_ago: float = 0) -> Claim:
    """The row has asked for these objects, and is let go of."""
    claim = taken(engine, row_id)
    let_go(engine, claim, *keys, bucket=bucket, looked_ago=looked_ago)
    return claim


def let_go(engine: Engine, claim: Claim, *keys: str, bucket: str = "archive", looked_ago: float = 0) -> None:
    awaited = Awaited(bucket, frozenset(keys), timedelta(seconds=looked_ago))
    wait = Wait(again_in=A_WHILE, why="waiting", awaited=awaited)
    with transaction(engine) as connection:
        settling.settle(connection, claim, wait, patience=PATIENCE, build="b")


def due(engine: Engine) -> list[int]:
    """Segments that may be looked at within a few seconds."""
    query = select(segments.c.id).where(
        (segments.c.due_at < text("now() + interval '5 seconds'")) | segments.c.hinted, segments.c.state == "thawing"
    )
    with transaction(engine) as connection:
        return sorted(connection.execute(query).scalars())


def test_a_segment_is_looked_at_when_the_last_of_its_objects_can_be_read(engine: Engine) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a", "b")

    after_one = heard(engine, completed("a")), due(engine)
    after_both = heard(engine, completed("b")), due(engine)

    assert after_one == (0, [])
    assert after_both == (1, [row])


def test_pitfall_05_an_event_that_comes_before_the_row_waits_is_not_lost(engine: Engine) -> None:
    [row] = thawing(engine)
    claim = taken(engine, row)
    woken = heard(engine, completed("a", "b"))

    let_go(engine, claim, "a", "b", looked_ago=1)

    assert woken == 0
    assert due(engine) == [row]


def test_an_event_from_before_the_look_does_not_have_the_store_looked_at_over_and_over(engine: Engine) -> None:
    [row] = thawing(engine)
    heard(engine, completed("a"))
    with transaction(engine) as connection:
        connection.execute(update(restore_events).values(received_at=text("now() - interval '1 minute'")))

    waits(engine, row, "a")

    assert due(engine) == []


def test_pitfall_06_events_may_come_twice_late_and_out_of_order(engine: Engine) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a", "b")
    expired = [RestoreEvent(Happened.EXPIRED, "archive", "a")]

    woken = [heard(engine, told) for told in (completed("a", "a"), expired, completed("b"), completed("a"))]

    assert woken == [0, 0, 0, 1]
    assert heard(engine, completed("a", "b")) == 1, "a repetition asks for one look, which does no harm"


def test_pitfall_07_the_same_key_in_another_bucket_is_another_object(engine: Engine) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a")

    assert heard(engine, completed("a", bucket="other")) == 0
    assert due(engine) == []


def test_pitfall_08_everybody_who_waits_for_an_object_is_released_but_who_was_cancelled(engine: Engine) -> None:
    rows = [*thawing(engine), *thawing(engine), *thawing(engine)]
    for row in rows:
        waits(engine, row, "a")
    with transaction(engine) as connection:
        connection.execute(update(segments).where(segments.c.id == rows[1]).values(state="failed"))

    assert heard(engine, completed("a")) == 2
    assert due(engine) == [rows[0], rows[2]]


def test_restores_of_others_are_kept_for_a_while_and_wake_nobody(engine: Engine) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a")

    assert heard(engine, completed("theirs", "theirs/2")) == 0
    with transaction(engine) as connection:
        assert len(connection.execute(select(restore_events)).all()) == 2


def test_a_row_that_is_held_is_not_taken_from_its_holder(engine: Engine) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a")
    with transaction(engine) as connection:
        connection.execute(update(segments).values(due_at=text("now()")))
    claim = taken(engine, row)

    assert heard(engine, completed("a")) == 0
    with transaction(engine) as connection:
        settling.settle(connection, claim, Done(said="1 object can be read"), patience=PATIENCE, build="b")
        assert connection.execute(select(restore_waits)).all() == []


def test_a_plan_that_waits_for_tag_files_is_hinted_at_once(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        claim = claims.take(connection, stage=PLANNING, row_id=backfill.replica_id, worker="w", patience=PATIENCE)
    assert claim is not None
    let_go(engine, claim, "bagit.txt")

    assert heard(engine, completed("bagit.txt")) == 1
    with transaction(engine) as connection:
        soon = connection.execute(select(replicas.c.due_at < text("now() + interval '1 minute'"))).scalar_one()
    assert soon


@pytest.mark.parametrize(("days", "left"), [(8, 0), (6, 1)])
def test_events_and_the_waits_of_rows_that_went_elsewhere_are_forgotten_after_days(
    engine: Engine, days: int, left: int
) -> None:
    [row] = thawing(engine)
    waits(engine, row, "a")
    heard(engine, completed("b"))
    with transaction(engine) as connection:
        connection.execute(update(segments).values(state="failed"))
        connection.execute(text(f"UPDATE restore_events SET received_at = now() - interval '{days} days'"))
        connection.execute(text(f"UPDATE restore_waits SET since = now() - interval '{days} days'"))
        restores.sweep(connection, keep=timedelta(days=7))

        assert len(connection.execute(select(restore_events)).all()) == left
        assert len(connection.execute(select(restore_waits)).all()) == left
