"""Priority and deadline decide which row a worker takes, whatever order the broker delivers hints in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text

from common.ledger.beginning import begin
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.tables import replicas
from common.topology import COPYING, PLANNING, Stage
from unit.common.ledger.builders import Backfill, a_backfill, hints, some_segments

PATIENCE = Patience()


def urgent(engine: Engine, backfill: Backfill, *, priority: int = 0, deadline: str | None = None, **more: Any) -> None:
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE replicas SET priority = :p, deadline = CAST(:d AS timestamptz) WHERE id = :id"),
            {"p": priority, "d": deadline, "id": backfill.replica_id},
        )


def taken(engine: Engine, row_id: int, *, stage: Stage = PLANNING) -> int | None:
    with transaction(engine) as connection:
        begun = begin(connection, stage=stage, row_id=row_id, worker="w", patience=PATIENCE)
    return begun.claim.row_id if begun else None


def hinted(row_id: int) -> tuple[str, str]:
    return ("bag_warmer_planning_backfill", f'{{"replica_id":{row_id},"type":"ReplicaRequested"}}')


def test_where_nothing_is_urgent_a_hint_is_followed(engine: Engine) -> None:
    first, _second = a_backfill(engine), a_backfill(engine)
    assert (taken(engine, first.replica_id), hints(engine)) == (first.replica_id, [])


def test_the_most_urgent_goes_first_and_no_hint_is_lost(engine: Engine) -> None:
    plain, high, higher = a_backfill(engine), a_backfill(engine), a_backfill(engine)
    urgent(engine, high, priority=1)
    urgent(engine, higher, priority=9)
    order = [taken(engine, plain.replica_id) for _ in range(3)]
    assert order == [higher.replica_id, high.replica_id, plain.replica_id]
    assert hints(engine) == [hinted(plain.replica_id)] * 2
    assert taken(engine, high.replica_id) is None


def test_of_equal_priority_the_earlier_deadline_goes_first(engine: Engine) -> None:
    none, late, early, high = (a_backfill(engine) for _ in range(4))
    urgent(engine, late, deadline="2031-01-01T00:00:00Z")
    urgent(engine, early, deadline="2030-01-01T00:00:00Z")
    urgent(engine, high, priority=1)
    order = [taken(engine, none.replica_id) for _ in range(4)]
    assert order == [high.replica_id, early.replica_id, late.replica_id, none.replica_id]


def test_an_urgent_row_is_not_put_behind_its_equals(engine: Engine) -> None:
    one, other = a_backfill(engine), a_backfill(engine)
    urgent(engine, one, priority=5)
    urgent(engine, other, priority=5)
    assert (taken(engine, other.replica_id), hints(engine)) == (other.replica_id, [])


def test_urgent_rows_that_cannot_be_taken_hold_nobody_up(engine: Engine) -> None:
    plain, held, waits, failed, otherwise = (a_backfill(engine) for _ in range(5))
    for backfill in (held, waits, failed, otherwise):
        urgent(engine, backfill, priority=9)
    assert taken(engine, held.replica_id) is not None
    changes = {
        waits: "due_at = clock_timestamp() + interval '2 days'",
        failed: "state = 'failed'",
        otherwise: "lane = 'daily'",
        held: "lease_until = clock_timestamp() + interval '1 hour'",
    }
    with transaction(engine) as connection:
        for backfill, change in changes.items():
            connection.execute(text(f"UPDATE replicas SET {change} WHERE id = {backfill.replica_id}"))
        connection.execute(
            replicas.update().where(replicas.c.id == otherwise.replica_id).values(lease_until=None, claimed_by=None)
        )
        # what the first look had claimed is free again, but for the one whose lease was prolonged
        connection.execute(
            text(f"UPDATE replicas SET lease_until = NULL WHERE id IN ({waits.replica_id}, {failed.replica_id})")
        )
    assert taken(engine, plain.replica_id) == plain.replica_id


def test_segments_go_by_their_replica(engine: Engine) -> None:
    plain, high = a_backfill(engine, state="transferring"), a_backfill(engine, state="transferring")
    urgent(engine, high, priority=3)
    (mine,) = some_segments(engine, plain, states=["copying"])
    theirs = some_segments(engine, high, states=["copying", "copying", "thawing"])
    with transaction(engine) as connection:
        connection.execute(text("UPDATE segments SET hinted = (number <> 2)"))
    order = [taken(engine, mine, stage=COPYING) for _ in range(2)]
    assert order == [theirs[0], mine]
    assert hints(engine) == [
        ("backfill_replicator_copying_backfill", f'{{"segment_id":{mine},"type":"SegmentThawed"}}')
    ]
