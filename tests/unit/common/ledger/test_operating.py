"""What people do to ingests: ending them and having them go on, against workers that hold their rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, select, text, update

from common.errors import AlreadyFinished, ClaimLost, NothingToRetry
from common.ledger import actions, claims, failing
from common.ledger.actions import Action
from common.ledger.beginning import Begun, begin
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.operating import CANCEL, FAIL, Decision, Ending, Retried, end, retry, same_wish
from common.ledger.requesting import request_backfill
from common.ledger.settling import settle
from common.ledger.spending import Copied, Restores, Spent
from common.ledger.tables import bag_locations, dead_letters, ingest_events, ingests, replicas, segments
from common.outcome import Done, GoBack, Outcome, Rejected, Wait
from common.topology import AGGREGATING, COPYING, PLANNING, REGISTERING, THAWING, VERIFYING, Stage
from unit.common.ledger.builders import Backfill, a_backfill, age, hints, history, some_segments, state_of

PATIENCE = Patience(attempts=3)
WHY = Decision(who="ada", why="the depositor withdrew it")
NOTHING = Copied(0, 0)


def ended(engine: Engine, backfill: Backfill, ending: Ending = CANCEL) -> Spent | None:
    with transaction(engine) as connection:
        return end(connection, ingest_id=backfill.ingest_id, ending=ending, decision=WHY)


def retried(engine: Engine, ingest_id: UUID, *, new_id: UUID | None = None) -> Retried | None:
    with transaction(engine) as connection:
        return retry(connection, ingest_id=ingest_id, new_id=new_id or uuid4(), decision=WHY, patience=PATIENCE)


def claimed(engine: Engine, stage: Stage, row_id: int) -> Begun:
    with transaction(engine) as connection:
        found = begin(connection, stage=stage, row_id=row_id, worker="w", patience=PATIENCE)
    assert found is not None
    return found


def facts(engine: Engine, table: Any, row_id: Any) -> Any:
    with transaction(engine) as connection:
        return connection.execute(select(table).where(table.c.id == row_id)).one()


def rows_of(engine: Engine, backfill: Backfill) -> tuple[str, str, list[str]]:
    """The states of the ingest, its replica and its segments."""
    with transaction(engine) as connection:
        states = connection.execute(
            select(segments.c.state).where(segments.c.ingest_id == backfill.ingest_id).order_by(segments.c.number)
        ).scalars()
        parts = list(states)
    return (
        state_of(engine, ingests, backfill.ingest_id),
        state_of(engine, replicas, backfill.replica_id),
        parts,
    )


@pytest.mark.parametrize("ending", [CANCEL, FAIL], ids=["cancel", "fail"])
@pytest.mark.parametrize(
    ("status", "replica", "parts", "after"),
    [
        ("accepted", "planning", [], []),
        ("processing", "planning", [], []),
        ("processing", "transferring", ["thawing", "copying"], ["cancelled", "cancelled"]),
        ("processing", "transferring", ["verifying", "verified"], ["cancelled", "verified"]),
        ("processing", "aggregating", ["verified"], ["verified"]),
        ("processing", "registering", ["verified"], ["verified"]),
    ],
)
def test_an_ingest_ends_in_every_state_that_is_not_terminal(
    engine: Engine, ending: Ending, status: str, replica: str, parts: list[str], after: list[str]
) -> None:
    backfill = a_backfill(engine, state=replica, status=status)
    some_segments(engine, backfill, states=parts)

    ended(engine, backfill, ending)

    assert rows_of(engine, backfill) == ("failed", "failed", after)
    assert facts(engine, ingests, backfill.ingest_id).error_code == ending.code
    assert history(engine, backfill.ingest_id) == [f"{ending.said} by ada - the depositor withdrew it"]


@pytest.mark.parametrize(
    "outcome",
    [Done("412 files"), Wait(PATIENCE.back_off, "thawing"), GoBack("thawing", "froze"), Rejected("x", "y", "z")],
    ids=lambda outcome: type(outcome).__name__,
)
@pytest.mark.parametrize("stage", [THAWING, COPYING, VERIFYING], ids=lambda stage: stage.name)
def test_a_worker_that_holds_a_segment_commits_nothing_afterwards(
    engine: Engine, stage: Stage, outcome: Outcome
) -> None:
    backfill = a_backfill(engine, state="transferring", status="processing")
    (row,) = some_segments(engine, backfill, states=[stage.name])
    claim = claimed(engine, stage, row).claim
    ended(engine, backfill)
    before = (rows_of(engine, backfill), history(engine, backfill.ingest_id), hints(engine))

    with transaction(engine) as connection:
        renewed = claims.renew(connection, claim, lease=PATIENCE.lease)
    with pytest.raises(ClaimLost), transaction(engine) as connection:
        claims.remember(connection, claim, {"upload": "u"})
    with pytest.raises(ClaimLost), transaction(engine) as connection:
        settle(connection, claim, outcome, patience=PATIENCE, build="b")
    with pytest.raises(ClaimLost), transaction(engine) as connection:
        failing.try_again(connection, claim, why="timeout", patience=PATIENCE, random=Random(1))

    assert not renewed
    assert (rows_of(engine, backfill), history(engine, backfill.ingest_id), hints(engine)) == before


@pytest.mark.parametrize("stage", [PLANNING, AGGREGATING, REGISTERING], ids=lambda stage: stage.name)
def test_a_worker_that_holds_the_replica_commits_nothing_afterwards(engine: Engine, stage: Stage) -> None:
    backfill = a_backfill(engine, state=stage.name, status="processing")
    claim = claimed(engine, stage, backfill.replica_id).claim

    ended(engine, backfill)

    with pytest.raises(ClaimLost), transaction(engine) as connection:
        settle(connection, claim, Done("all there"), patience=PATIENCE, build="b")
    assert rows_of(engine, backfill) == ("failed", "failed", [])


def test_a_cancellation_and_the_last_commit_at_the_same_moment_have_one_winner(engine: Engine) -> None:
    for _ in range(8):
        backfill = a_backfill(engine, state="registering", status="processing")
        claim = claimed(engine, REGISTERING, backfill.replica_id).claim

        def register() -> str:
            try:
                with transaction(engine) as connection:
                    settle(connection, claim, Done(""), patience=PATIENCE, build="b")  # noqa: B023
            except ClaimLost:
                return "lost"
            return "succeeded"

        def cancel() -> str:
            try:
                ended(engine, backfill)  # noqa: B023
            except AlreadyFinished:
                return "lost"
            return "failed"

        with ThreadPoolExecutor(2) as pool:
            answers = {one.result() for one in (pool.submit(register), pool.submit(cancel))}

        assert answers == {"lost", state_of(engine, ingests, backfill.ingest_id)}


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_what_has_finished_cannot_be_ended(engine: Engine, status: str) -> None:
    backfill = a_backfill(engine, status="processing")
    with transaction(engine) as connection:
        connection.execute(update(ingests).values(status=status, finished_at=text("now()")))

    with pytest.raises(AlreadyFinished, match=f"has {status}"):
        ended(engine, backfill)

    assert (history(engine, backfill.ingest_id), of_ingest(engine, backfill.ingest_id)) == ([], [])


def of_ingest(engine: Engine, ingest_id: UUID) -> list[Action]:
    with transaction(engine) as connection:
        return actions.actions_on(connection, f"ingest:{ingest_id}")


def test_pitfall_25_ending_says_what_was_asked_for_and_done_by_then(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring", status="processing")
    first, second, *_ = some_segments(
        engine, backfill, states=["thawing", "thawing", "copying", "verifying", "verified"]
    )
    asked = {"tier": "Bulk", "days": 3, "objects": 10, "bytes": 1000}
    for table, row, noted in (
        (segments, first, asked),
        (segments, second, asked | {"objects": 5}),
        (replicas, backfill.replica_id, asked | {"tier": "Expedited", "objects": 2, "bytes": 20}),
    ):
        with transaction(engine) as connection:
            connection.execute(update(table).where(table.c.id == row).values(progress={"restores": noted}))

    had = ended(engine, backfill)

    assert had == Spent(
        restores=(Restores("Bulk", 3, 15, 2000), Restores("Expedited", 3, 2, 20)),
        copied=Copied(2, 6),
        copying=Copied(1, 3),
        verified=Copied(1, 3),
    )
    (action,) = of_ingest(engine, backfill.ingest_id)
    assert (action.what, action.who, action.why) == ("ingest cancelled", "ada", "the depositor withdrew it")
    assert action.detail == {"spent": had.document()}


def test_going_back_forgets_no_restore_request(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring", status="processing")
    (row,) = some_segments(engine, backfill, states=["copying"])
    asked = {"tier": "Bulk", "days": 3, "objects": 10, "bytes": 1000}
    with transaction(engine) as connection:
        connection.execute(update(segments).values(progress={"restores": asked, "asked": {"k": "then"}}))
    claim = claimed(engine, COPYING, row).claim

    with transaction(engine) as connection:
        settle(connection, claim, GoBack("thawing", "froze"), patience=PATIENCE, build="b")

    assert facts(engine, segments, row).progress == {"restores": asked, "returns": 1}


def test_nothing_is_known_of_an_ingest_that_does_not_exist(engine: Engine) -> None:
    nobody = Backfill(uuid4(), 1, 1)
    assert (ended(engine, nobody), retried(engine, nobody.ingest_id)) == (None, None)


def failed(engine: Engine) -> Backfill:
    """A backfill that failed after attempts, with a dead letter."""
    backfill = a_backfill(engine, state="transferring", status="processing")
    (row,) = some_segments(engine, backfill, states=["copying"])
    for _ in range(PATIENCE.attempts):
        claim = claimed(engine, COPYING, row).claim
        with transaction(engine) as connection:
            failing.try_again(connection, claim, why="timeout", patience=PATIENCE, random=Random(1))
        age(engine, segments, not_before="- interval '1 hour'")
    assert rows_of(engine, backfill) == ("failed", "failed", ["failed"])
    return backfill


def test_the_retry_of_a_failed_ingest_is_a_new_one_that_names_it(engine: Engine) -> None:
    backfill, new_id = failed(engine), uuid4()
    before = facts(engine, ingests, backfill.ingest_id)

    answer = retried(engine, backfill.ingest_id, new_id=new_id)

    new = facts(engine, ingests, new_id)
    assert answer == Retried(new_id, created=True)
    assert facts(engine, ingests, backfill.ingest_id) == before
    assert (new.status, new.retry_of, new.bag_version_id, new.options) == (
        "accepted", backfill.ingest_id, before.bag_version_id, before.options,
    )  # fmt: skip
    assert facts(engine, replicas, backfill.replica_id).ingest_id == new_id
    assert hints(engine)[-1][0] == "bag_warmer_planning_backfill"
    assert history(engine, new_id) == [f"Retry of {backfill.ingest_id}, asked for by ada - {WHY.why}"]
    assert history(engine, backfill.ingest_id)[-1] == f"Retried by ada as {new_id} - {WHY.why}"
    assert [one.what for one in of_ingest(engine, backfill.ingest_id)] == ["ingest retried"]


def test_a_retry_deals_with_the_dead_letters_of_what_failed(engine: Engine) -> None:
    backfill, other, new_id = failed(engine), failed(engine), uuid4()

    retried(engine, backfill.ingest_id, new_id=new_id)

    with transaction(engine) as connection:
        letters = connection.execute(
            select(dead_letters.c.ingest_id, dead_letters.c.resolution, dead_letters.c.redriven_as).order_by(
                dead_letters.c.id
            )
        ).all()
    assert [tuple(letter) for letter in letters] == [
        (backfill.ingest_id, "redriven", new_id),
        (other.ingest_id, None, None),
    ]


def test_however_many_retry_at_once_one_new_ingest_comes_of_it(engine: Engine) -> None:
    backfill = failed(engine)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: retried(engine, backfill.ingest_id), range(8)))

    assert len({answer.ingest_id for answer in answers if answer}) == 1
    assert sorted(answer.created for answer in answers if answer) == [False] * 7 + [True]
    with transaction(engine) as connection:
        new = connection.execute(select(ingests.c.id).where(ingests.c.retry_of == backfill.ingest_id)).all()
    assert len(new) == 1


def test_a_retry_and_a_request_for_the_same_copy_at_once_do_not_wait_for_each_other(engine: Engine) -> None:
    for _ in range(6):
        backfill = failed(engine)
        with transaction(engine) as connection:
            old = connection.execute(select(ingests).where(ingests.c.id == backfill.ingest_id)).one()

        def ask() -> UUID:

            with transaction(engine) as connection:
                wish = same_wish(connection, old)  # noqa: B023
                return request_backfill(connection, wish=wish, ingest_id=uuid4()).ingest_id

        with ThreadPoolExecutor(2) as pool:
            asked, again = pool.submit(ask), pool.submit(retried, engine, backfill.ingest_id)
            answer = again.result()

        assert answer is not None
        assert answer.ingest_id == asked.result()


def test_the_retry_of_a_copy_that_was_registered_meanwhile_has_nothing_to_do(engine: Engine) -> None:
    backfill, new_id = failed(engine), uuid4()
    with transaction(engine) as connection:
        connection.execute(
            insert(bag_locations).values(
                bag_version_id=backfill.bag_version_id, location_id="azure", evidence_class="E3", role="replica"
            )
        )

    retried(engine, backfill.ingest_id, new_id=new_id)

    assert state_of(engine, ingests, new_id) == "succeeded"


def test_rows_that_back_off_or_wait_are_due_at_once_when_an_ingest_is_retried(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring", status="processing")
    backing_off, waiting, held, done = some_segments(
        engine, backfill, states=["copying", "thawing", "copying", "verified"]
    )
    claim = claimed(engine, COPYING, backing_off).claim
    with transaction(engine) as connection:
        failing.try_again(connection, claim, why="timeout", patience=PATIENCE, random=Random(1))
    claim = claimed(engine, THAWING, waiting).claim
    with transaction(engine) as connection:
        settle(connection, claim, Wait(PATIENCE.longest_back_off, "thawing"), patience=PATIENCE, build="b")
    claimed(engine, COPYING, held)

    answer = retried(engine, backfill.ingest_id)

    assert answer == Retried(backfill.ingest_id, created=False, hurried=2)
    assert hints(engine) == [
        ("backfill_replicator_copying_backfill", f'{{"segment_id":{backing_off},"type":"SegmentThawed"}}'),
        ("bag_warmer_thawing_backfill", f'{{"segment_id":{waiting},"type":"SegmentPlanned"}}'),
    ]
    again = claimed(engine, COPYING, backing_off).claim
    assert again.attempt == 2  # hurrying costs no attempt, and gives none
    assert history(engine, backfill.ingest_id)[-1] == f"Told to go on at once by ada - {WHY.why}"
    assert facts(engine, segments, done).state == "verified"


def test_there_is_nothing_to_retry_where_all_is_being_worked_on(engine: Engine) -> None:
    backfill = a_backfill(engine)
    claimed(engine, PLANNING, backfill.replica_id)

    with pytest.raises(NothingToRetry):
        retried(engine, backfill.ingest_id)


def test_what_succeeded_is_not_retried(engine: Engine) -> None:
    backfill = a_backfill(engine, status="processing")
    with transaction(engine) as connection:
        connection.execute(update(ingests).values(status="succeeded", finished_at=text("now()")))

    with pytest.raises(AlreadyFinished):
        retried(engine, backfill.ingest_id)


def test_the_event_carries_the_code_and_what_was_spent(engine: Engine) -> None:
    backfill = a_backfill(engine)

    had = ended(engine, backfill, FAIL)

    assert had is not None
    with transaction(engine) as connection:
        detail = connection.execute(select(ingest_events.c.detail)).scalar_one()
    assert detail == {"code": "failed_by_operator", "reason": WHY.why, "who": "ada", "spent": had.document()}
    assert had == Spent(restores=(), copied=NOTHING, copying=NOTHING, verified=NOTHING)
