"""Results and next hints in one transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, func, insert, select

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.ledger import failing
from common.ledger.beginning import Begun, begin
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.settling import MOST_RETURNS, settle
from common.ledger.tables import bag_locations, bag_versions, dead_letters, evidence, ingests, replicas, segments
from common.outcome import Done, Evidence, GoBack, Outcome, Planned, Registered, Rejected, Verified, Wait
from common.topology import AGGREGATING, COPYING, PLANNING, REGISTERING, THAWING, VERIFYING, Stage
from unit.common.ledger.builders import (
    PINS,
    Backfill,
    a_backfill,
    a_file,
    age,
    hints,
    history,
    segment_plans,
    some_segments,
    state_of,
)

PATIENCE = Patience(attempts=3)


def begun(engine: Engine, stage: Stage, row_id: int, *, worker: str = "w") -> Begun:
    with transaction(engine) as connection:
        found = begin(connection, stage=stage, row_id=row_id, worker=worker, patience=PATIENCE)
    assert found is not None
    return found


def work(engine: Engine, stage: Stage, row_id: int, outcome: Outcome) -> None:
    claim = begun(engine, stage, row_id).claim
    with transaction(engine) as connection:
        settle(connection, claim, outcome, patience=PATIENCE, build="verifier 1")


def proof(path: str = "data/1.tif", outcome: str = "match") -> Evidence:
    digest = {Algorithm.SHA256: "0" * 64}
    return Evidence(
        path, f"digitised/b/v1/{path}", outcome, EvidenceClass.READ_BACK, digest, digest, 3, "e", None,
        datetime(2026, 1, 1, tzinfo=UTC), 0.25,
    )  # fmt: skip


def test_a_plan_becomes_segments_and_their_hints(engine: Engine) -> None:
    backfill = a_backfill(engine)
    plan = Planned(segments=iter(segment_plans(3)), files=3, bytes=9, pins=PINS)

    work(engine, PLANNING, backfill.replica_id, Done("3 files, 9 bytes", writes=(plan,)))

    assert state_of(engine, replicas, backfill.replica_id) == "transferring"
    assert [queue for queue, _ in hints(engine)] == ["bag_warmer_thawing_backfill"] * 3
    assert history(engine, backfill.ingest_id) == ["Planning started", "Planning succeeded - 3 files, 9 bytes"]
    with transaction(engine) as connection:
        assert connection.execute(select(segments.c.files).limit(1)).scalar_one() == [a_file("data/1.tif").to_json()]


def test_what_can_be_read_as_it_lies_is_copied_at_once_and_the_rest_is_thawed(engine: Engine) -> None:
    backfill = a_backfill(engine)
    frozen, *readable = segment_plans(3)
    plans = [frozen, *(replace(plan, readable=True) for plan in readable)]

    work(engine, PLANNING, backfill.replica_id, Done("", writes=(Planned(iter(plans), 3, 9, PINS),)))

    queues = sorted(queue for queue, _ in hints(engine))
    assert queues == [*["backfill_replicator_copying_backfill"] * 2, "bag_warmer_thawing_backfill"]
    assert history(engine, backfill.ingest_id) == ["Planning started", "Planning succeeded"]


def test_a_bag_of_which_nothing_is_frozen_has_its_warming_behind_it(engine: Engine) -> None:
    backfill = a_backfill(engine)
    plans = [replace(plan, readable=True) for plan in segment_plans(2)]

    work(engine, PLANNING, backfill.replica_id, Done("", writes=(Planned(iter(plans), 2, 6, PINS),)))
    with transaction(engine) as connection:
        row = connection.execute(select(func.min(segments.c.id)).where(segments.c.state == "copying")).scalar_one()
    work(engine, COPYING, row, GoBack("thawing", "data/1.tif froze"))
    work(engine, THAWING, row, Done(""))

    assert history(engine, backfill.ingest_id) == [
        "Planning started",
        "Planning succeeded",
        "Warming (Cold) succeeded - nothing is frozen",
        "Replicating to Azure started",
        "Replicating to Azure going back - data/1.tif froze",
        "Warming (Cold) started",
    ]
    assert state_of(engine, segments, row) == "copying"


def test_a_segment_passes_through_its_stages_and_the_history_tells_it_once(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    first, second = some_segments(engine, backfill, states=["thawing", "thawing"])

    for stage in (THAWING, COPYING, VERIFYING):
        for segment in (first, second):
            writes = (Verified([proof(f"data/{segment}.tif")]),) if stage is VERIFYING else ()
            work(engine, stage, segment, Done("", writes=writes))

    assert state_of(engine, replicas, backfill.replica_id) == "aggregating"
    assert history(engine, backfill.ingest_id) == [
        "Warming (Cold) started",
        "Warming (Cold) succeeded - 2 files, 6 bytes",
        "Replicating to Azure started",
        "Replicating to Azure succeeded - 2 files, 6 bytes",
        "Verification (Azure) started",
        "Verification (Azure) succeeded - 2 files, 6 bytes",
    ]
    assert hints(engine)[-1][0] == "replica_aggregator_aggregating_backfill"


def test_segments_settled_at_the_same_time_move_the_replica_on_exactly_once(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    rows = some_segments(engine, backfill, states=["verifying"] * 12)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda row: work(engine, VERIFYING, row, Done("", writes=(Verified([proof(str(row))]),))), rows))

    moved = [queue for queue, _ in hints(engine) if queue.startswith("replica_aggregator")]
    assert (state_of(engine, replicas, backfill.replica_id), len(moved)) == ("aggregating", 1)


def test_evidence_names_worker_build_and_attempt(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["verifying"])

    work(engine, VERIFYING, segment, Done("", writes=(Verified([proof()]),)))

    with transaction(engine) as connection:
        row = connection.execute(select(evidence)).one()
    assert (row.worker, row.build, row.attempt, row.microseconds, row.outcome, row.evidence_class) == (
        "w", "verifier 1", 1, 250_000, "match", "E3",
    )  # fmt: skip


def registering(engine: Engine) -> Backfill:
    """A replica about to be registered, its one file proven."""
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["verifying"])
    work(engine, VERIFYING, segment, Done("", writes=(Verified([proof()]),)))
    work(engine, AGGREGATING, backfill.replica_id, Done("all there"))
    return backfill


def test_registering_adds_the_location_and_finishes_the_ingest(engine: Engine) -> None:
    backfill = registering(engine)
    bag = begun(engine, REGISTERING, backfill.replica_id)
    with transaction(engine) as connection:
        fact = Registered(bag.facts["bag"])
        settle(connection, bag.claim, Done("", writes=(fact,)), patience=PATIENCE, build="b")

    with transaction(engine) as connection:
        rows = connection.execute(
            select(bag_locations.c.location_id, bag_locations.c.role, bag_locations.c.evidence_class)
            .where(bag_locations.c.bag_version_id == backfill.bag_version_id)
            .order_by(bag_locations.c.location_id)
        ).all()
        revision = connection.execute(
            select(bag_versions.c.revision).where(bag_versions.c.id == backfill.bag_version_id)
        ).scalar_one()
    assert [tuple(row) for row in rows] == [("azure", "replica", "E3"), ("cold", "primary", "E1")]
    assert (revision, state_of(engine, ingests, backfill.ingest_id)) == (2, "succeeded")
    assert history(engine, backfill.ingest_id)[-1] == "Register succeeded (completed)"


def test_a_rejection_fails_the_ingest_and_cancels_the_other_segments(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    bad, other = some_segments(engine, backfill, states=["verifying", "copying"])
    working = begun(engine, COPYING, other).claim
    refusal = Rejected(
        "replica_digest_mismatch", "a: b", "unable to verify 1 file", writes=(Verified([proof(outcome="mismatch")]),)
    )

    work(engine, VERIFYING, bad, refusal)

    with transaction(engine) as connection:
        ingest = connection.execute(select(ingests).where(ingests.c.id == backfill.ingest_id)).one()
        kept = connection.execute(select(evidence.c.outcome)).scalars().all()
        fence = connection.execute(select(segments.c.fence).where(segments.c.id == other)).scalar_one()
    assert (state_of(engine, segments, bad), state_of(engine, segments, other)) == ("failed", "cancelled")
    assert (ingest.status, ingest.error_code, list(kept)) == ("failed", "replica_digest_mismatch", ["mismatch"])
    assert fence > working.fence
    assert history(engine, backfill.ingest_id)[-1] == (
        "Verification (Azure) failed - segment 1: unable to verify 1 file"
    )


def fail_once(engine: Engine, stage: Stage, row_id: int) -> bool:
    claim = begun(engine, stage, row_id).claim
    with transaction(engine) as connection:
        return failing.try_again(connection, claim, why="503 SlowDown", patience=PATIENCE, random=Random(1))


def test_a_transient_error_backs_off_and_the_last_one_becomes_a_dead_letter_with_the_failure(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])

    tries = []
    for _ in range(PATIENCE.attempts):
        tries.append(fail_once(engine, COPYING, segment))
        age(engine, segments, not_before="- interval '1 hour'")

    with transaction(engine) as connection:
        letter = connection.execute(select(dead_letters)).one()
    assert tries == [True, True, False]
    assert (letter.queue, letter.row_id, letter.code, letter.attempts) == (
        "backfill_replicator_copying_backfill", segment, "attempts_exhausted", 3,
    )  # fmt: skip
    assert state_of(engine, ingests, backfill.ingest_id) == "failed"


def test_a_row_that_backs_off_cannot_be_claimed_by_an_early_hint(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])
    fail_once(engine, COPYING, segment)

    with transaction(engine) as connection:
        assert begin(connection, stage=COPYING, row_id=segment, worker="w", patience=PATIENCE) is None


def test_pitfall_09_going_back_thaws_again_but_not_for_ever(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])

    for _ in range(MOST_RETURNS):
        work(engine, COPYING, segment, GoBack("thawing", "the copy expired"))
        work(engine, THAWING, segment, Done(""))
    work(engine, COPYING, segment, GoBack("thawing", "the copy expired"))

    assert state_of(engine, segments, segment) == "failed"


def test_waiting_is_told_once_however_often_it_is_looked_at(engine: Engine) -> None:
    backfill = a_backfill(engine)

    for _ in range(3):
        work(engine, PLANNING, backfill.replica_id, Wait(timedelta(0), "waiting for 2 tag files to thaw"))

    assert history(engine, backfill.ingest_id) == ["Planning started", "Planning: waiting for 2 tag files to thaw"]


def test_brief_errors_spread_over_a_long_thaw_do_not_add_up(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["thawing"])

    for _ in range(2 * PATIENCE.attempts):
        assert fail_once(engine, THAWING, segment)
        age(engine, segments, not_before="- interval '1 hour'")
        work(engine, THAWING, segment, Wait(timedelta(0), "waiting for 3 objects to thaw"))

    assert state_of(engine, segments, segment) == "thawing"


def test_a_worker_that_vanished_is_named_in_the_history(engine: Engine) -> None:
    backfill = a_backfill(engine)
    begun(engine, PLANNING, backfill.replica_id, worker="bag_warmer@a:1")
    age(engine, replicas, lease_until="- interval '1 hour'")

    begun(engine, PLANNING, backfill.replica_id, worker="bag_warmer@b:2")

    assert history(engine, backfill.ingest_id)[-1] == (
        "Planning retrying - worker bag_warmer@a:1 stopped answering, attempt 2 of 3"
    )


@pytest.mark.parametrize("outcome", [Done(""), Wait(timedelta(0), "w"), Rejected("c", "w", "u")])
def test_an_outcome_and_its_hints_are_one_transaction(engine: Engine, outcome: Outcome) -> None:
    backfill = a_backfill(engine, state="transferring")
    (segment,) = some_segments(engine, backfill, states=["copying"])
    claim = begun(engine, COPYING, segment).claim
    before = history(engine, backfill.ingest_id)

    with pytest.raises(RuntimeError), transaction(engine) as connection:
        settle(connection, claim, outcome, patience=PATIENCE, build="b")
        raise RuntimeError("the commit did not happen")

    assert (state_of(engine, segments, segment), hints(engine), history(engine, backfill.ingest_id)) == (
        "copying", [], before,
    )  # fmt: skip


def test_an_import_is_settled_without_an_ingest(engine: Engine) -> None:
    from common.ledger.tables import imports
    from common.topology import IMPORTING
    from unit.common.ledger.builders import locations_exist

    with transaction(engine) as connection:
        locations_exist(connection)
        row = connection.execute(
            insert(imports).values(location_id="cold", state="walking").returning(imports.c.id)
        ).scalar_one()

    work(engine, IMPORTING, row, Done("3 bags"))

    assert state_of(engine, imports, row) == "finished"


def test_an_ingest_is_processing_from_its_first_claim_on(engine: Engine) -> None:
    backfill = a_backfill(engine)
    begun(engine, PLANNING, backfill.replica_id)

    with transaction(engine) as connection:
        assert connection.execute(select(ingests.c.status)).scalar_one() == "processing"
