"""Stalls: what stands still for longer than its stage's limit is marked once, told once, and shown while it lasts."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from common.ledger import claims, failing, stalls
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.settling import settle
from common.ledger.stalls import Stalled
from common.ledger.tables import imports, replicas, segments
from common.outcome import Done, Wait
from common.topology import COPYING, IMPORTING, PLANNING, THAWING, Stage
from unit.common.ledger.builders import Backfill, a_backfill, age, history, locations_exist, some_segments

PATIENCE = Patience()


def claimed(engine: Engine, stage: Stage, row_id: int) -> Claim:
    with transaction(engine) as connection:
        claim = claims.take(connection, stage=stage, row_id=row_id, worker="w@host:1", patience=PATIENCE)
    assert claim is not None
    return claim


def passed(engine: Engine, table: Any, hours: float) -> None:
    """So much time goes by for all rows of a table; leases go on being renewed."""
    shift = f"- interval '{hours} hours'"
    age(engine, table, entered_at=shift, stalls_at=shift, not_before=shift)


def marked(engine: Engine) -> list[tuple[str, int, str, str | None]]:
    with transaction(engine) as connection:
        return [(one.stage.name, one.row_id, one.reason, one.last_error) for one in stalls.mark(connection)]


def shown(engine: Engine, backfill: Backfill) -> Stalled | None:
    with transaction(engine) as connection:
        return stalls.of_ingest(connection, backfill.ingest_id)


def transferring(engine: Engine, *states: str) -> tuple[Backfill, list[int]]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    return backfill, some_segments(engine, backfill, states=list(states))


def test_a_row_that_is_tried_again_and_again_stalls_with_its_last_error(engine: Engine) -> None:
    backfill, (row,) = transferring(engine, "copying")
    claim = claimed(engine, COPYING, row)
    with transaction(engine) as connection:
        failing.try_again(connection, claim, why="timeout", patience=PATIENCE, random=Random(1))
    passed(engine, segments, 5.9)
    before = marked(engine)
    passed(engine, segments, 1.2)

    assert before == []
    assert marked(engine) == [("copying", row, "it is tried again and again", "timeout")]
    found = shown(engine, backfill)
    assert found is not None
    assert (found.stage, found.row_id, found.last_error) == (COPYING, row, "timeout")
    with transaction(engine) as connection:
        assert found.since == connection.execute(select(segments.c.entered_at)).scalar_one()
    assert history(engine, backfill.ingest_id)[-1] == (
        "Replicating to Azure stalled - segment 1: it is tried again and again - timeout"
    )


def test_a_stall_is_marked_and_told_once(engine: Engine) -> None:
    backfill, rows = transferring(engine, "copying", "copying")
    for row in rows:
        claimed(engine, COPYING, row)
    passed(engine, segments, 8)

    first, second = marked(engine), marked(engine)

    assert [row for _, row, *_ in first] == rows
    assert second == []
    assert sum("stalled" in told for told in history(engine, backfill.ingest_id)) == 1


def test_what_gets_on_has_stalled_no_more(engine: Engine) -> None:
    backfill, (row,) = transferring(engine, "copying")
    claim = claimed(engine, COPYING, row)
    passed(engine, segments, 8)
    marked(engine)
    stalled = shown(engine, backfill)
    with transaction(engine) as connection:
        settle(connection, claim, Done("1 file"), patience=PATIENCE, build="b")

    assert stalled is not None
    assert stalled.reason == "w@host:1 works on it for longer than it should take"
    assert shown(engine, backfill) is None
    assert marked(engine) == []


def test_a_thaw_may_take_three_times_what_the_provider_promised(engine: Engine) -> None:
    backfill, (row,) = transferring(engine, "thawing")
    claim = claimed(engine, THAWING, row)
    wait = Wait(timedelta(minutes=15), "thawing", promised=timedelta(hours=48))
    with transaction(engine) as connection:
        settle(connection, claim, wait, patience=PATIENCE, build="b")
    passed(engine, segments, 143)
    before = marked(engine)
    passed(engine, segments, 25)  # it is looked at again at least once a day

    assert before == []
    assert marked(engine) == [("thawing", row, "it waits for longer than it should", None)]
    assert shown(engine, backfill) is not None


def test_a_promise_about_thawing_is_none_about_copying(engine: Engine) -> None:
    _, (row,) = transferring(engine, "thawing")
    for outcome in (Wait(timedelta(0), "thawing", promised=timedelta(hours=48)), Done("all warm")):
        claim = claimed(engine, THAWING, row)
        with transaction(engine) as connection:
            settle(connection, claim, outcome, patience=PATIENCE, build="b")
    claimed(engine, COPYING, row)
    passed(engine, segments, 7)

    assert [row for _, row, *_ in marked(engine)] == [row]


def test_large_segments_may_take_longer(engine: Engine) -> None:
    _, (row,) = transferring(engine, "copying")
    with transaction(engine) as connection:
        connection.execute(text("UPDATE segments SET bytes = 300::bigint << 30"))  # 10 hours more
    claimed(engine, COPYING, row)
    passed(engine, segments, 15.9)
    before = marked(engine)
    passed(engine, segments, 1.2)

    assert (before, len(marked(engine))) == ([], 1)


def test_what_nobody_takes_has_stalled_if_nobody_works_on_its_stage_at_all(engine: Engine) -> None:
    backfill = a_backfill(engine)
    passed(engine, replicas, 7)

    assert marked(engine) == [
        ("planning", backfill.replica_id,
         "no worker has taken it, and none works on anything like it: does bag_warmer run?", None)
    ]  # fmt: skip


def test_what_queues_up_behind_others_has_not_stalled(engine: Engine) -> None:
    first, *_ = [a_backfill(engine) for _ in range(3)]
    passed(engine, replicas, 5)
    claimed(engine, PLANNING, first.replica_id)
    passed(engine, replicas, 50)
    found = marked(engine)

    assert [row for _, row, *_ in found] == [first.replica_id]
    with transaction(engine) as connection:
        again = connection.execute(text("SELECT count(*) FROM replicas WHERE stalls_at > clock_timestamp()"))
        assert again.scalar_one() == 2


def test_what_a_campaign_holds_back_has_not_stalled_and_its_time_begins_when_it_is_let_in(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET not_before = '9999-01-01Z', due_at = '9999-01-01Z'"))
    age(engine, replicas, entered_at="- interval '90 days'", stalls_at="- interval '90 days'")
    held = marked(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET not_before = clock_timestamp()"))
    age(engine, replicas, stalls_at="- interval '25 hours'")
    let_in = marked(engine)
    age(engine, replicas, stalls_at="- interval '25 hours'", not_before="- interval '7 hours'")

    assert (held, let_in) == ([], [])
    assert [row for _, row, *_ in marked(engine)] == [backfill.replica_id]


def test_an_import_stalls_without_an_ingest_to_tell(engine: Engine) -> None:
    with transaction(engine) as connection:
        locations_exist(connection)
        row = connection.execute(
            imports.insert().values(location_id="cold", state="walking").returning(imports.c.id)
        ).scalar_one()
    claimed(engine, IMPORTING, row)
    passed(engine, imports, 24 * 8)

    assert [(stage, row) for stage, row, *_ in marked(engine)] == [("walking", row)]


def test_a_row_of_an_earlier_release_gets_its_time_from_the_database(engine: Engine) -> None:
    transferring(engine, "thawing")
    age(engine, segments, entered_at="- interval '9 days'", stalls_at="- interval '9 days'")
    with transaction(engine) as connection:
        connection.execute(text("UPDATE segments SET stalled_at = now()"))
        connection.execute(text("UPDATE segments SET state = 'copying'"))
        found = connection.execute(
            text("SELECT entered_at > now() - interval '1 minute', stalls_at > now(), stalled_at FROM segments")
        ).one()

    assert tuple(found) == (True, True, None)


@pytest.mark.parametrize("table", ["segments", "replicas", "imports"])
def test_a_look_reads_no_more_than_is_over_time(engine: Engine, table: str) -> None:
    """By the index that has them in their order. Others cost as much on a small table: sorting is ruled out, too."""
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        states = {"segments": "copying", "replicas": "planning", "imports": "walking"}
        plan = "\n".join(
            connection.execute(
                text(
                    f"EXPLAIN SELECT id FROM {table} WHERE state = '{states[table]}' AND stalled_at IS NULL"
                    " AND stalls_at <= clock_timestamp() ORDER BY stalls_at LIMIT 500"
                )
            ).scalars()
        )

    assert f"ix_{table}_stalls" in plan
