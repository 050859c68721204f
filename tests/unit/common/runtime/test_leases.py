"""Leases: kept alive from the side, and never the wrong one."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from common.errors import ClaimLost
from common.jobs import Interrupted
from common.ledger import claims
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.settling import let_go
from common.ledger.tables import segments
from common.runtime.leases import Leases, every
from common.topology import COPYING
from unit.common.ledger.builders import age
from unit.common.runtime.workers import a_segment, row, until

LEASE = timedelta(seconds=60)


def leases_of(engine: Engine, *, stopping: threading.Event | None = None) -> Leases:
    return Leases(engine=engine, lease=LEASE, stopping=stopping or threading.Event())


def claimed(engine: Engine, segment: int) -> Claim:
    with transaction(engine) as connection:
        claim = claims.take(connection, stage=COPYING, row_id=segment, worker="w", patience=Patience())
    assert claim is not None
    return claim


def expired(engine: Engine, segment: int) -> datetime:
    """Let the leases run out; returns until when this one lasted."""
    age(engine, segments, lease_until="- interval '1 hour'")
    until_when = row(engine, segment)["lease_until"]
    assert isinstance(until_when, datetime)
    return until_when


def test_every_row_that_is_held_is_renewed_and_what_was_dropped_is_not(engine: Engine) -> None:
    leases, rows = leases_of(engine), [a_segment(engine) for _ in range(3)]
    held = [claimed(engine, segment) for segment in rows]
    for claim in held:
        leases.grip(claim)
    leases.drop(held[1])
    expired(engine, rows[0])
    before = [row(engine, segment)["lease_until"] for segment in rows]

    leases.renew_all()

    renewed = [row(engine, segment)["lease_until"] != was for segment, was in zip(rows, before, strict=True)]
    assert renewed == [True, False, True]


def test_a_row_that_is_somebody_else_s_by_now_is_told_at_the_next_checkpoint(engine: Engine) -> None:
    leases, segment = leases_of(engine), a_segment(engine)
    grip = leases.grip(claimed(engine, segment))
    expired(engine, segment)
    claimed(engine, segment)
    grip.checkpoint()

    leases.renew_all()

    with pytest.raises(ClaimLost, match=f"segment {segment} is another worker's now"):
        grip.checkpoint()
    with pytest.raises(ClaimLost):
        grip.remember(note=1)


def test_a_row_that_this_process_claims_anew_is_lost_to_its_earlier_attempt_and_stays_renewed(engine: Engine) -> None:
    leases, segment = leases_of(engine), a_segment(engine)
    earlier = claimed(engine, segment)
    old_grip = leases.grip(earlier)
    expired(engine, segment)
    leases.grip(claimed(engine, segment)).checkpoint()

    with pytest.raises(ClaimLost):
        old_grip.checkpoint()
    leases.drop(earlier)
    before = expired(engine, segment)
    leases.renew_all()

    assert row(engine, segment)["lease_until"] != before


def test_a_renewal_that_comes_after_the_row_was_let_go_of_does_not_lease_it_again(engine: Engine) -> None:
    leases, segment = leases_of(engine), a_segment(engine)
    claim = claimed(engine, segment)
    leases.grip(claim)
    with transaction(engine) as connection:
        let_go(connection, claim)

    leases.renew_all()

    assert row(engine, segment)["lease_until"] is None


def test_notes_are_merged_by_key_and_kept_with_the_row(engine: Engine) -> None:
    leases, segment = leases_of(engine), a_segment(engine)
    grip = leases.grip(claimed(engine, segment))

    grip.remember(uploads={"k": "1"}, asked={})
    grip.remember(uploads={"k": "2"})

    assert row(engine, segment)["progress"] == {"uploads": {"k": "2"}, "asked": {}}


def test_one_row_s_trouble_does_not_cost_the_others_their_leases(engine: Engine) -> None:
    leases, rows = leases_of(engine), [a_segment(engine) for _ in range(2)]
    bad, good = (claimed(engine, segment) for segment in rows)
    leases.grip(replace(bad, row_id=2**70))
    leases.grip(good)
    before = expired(engine, rows[1])

    leases.renew_all()

    assert row(engine, rows[1])["lease_until"] != before


def test_a_stopping_process_is_told_at_the_next_checkpoint(engine: Engine) -> None:
    stopping = threading.Event()
    grip = leases_of(engine, stopping=stopping).grip(claimed(engine, a_segment(engine)))
    grip.checkpoint()

    stopping.set()

    with pytest.raises(Interrupted):
        grip.checkpoint()


def test_leases_are_renewed_three_times_in_their_length(engine: Engine) -> None:
    assert leases_of(engine).period == 20


def test_a_periodic_task_survives_its_own_errors() -> None:
    ended, calls = threading.Event(), []

    def action() -> None:
        calls.append(1)
        raise ZeroDivisionError

    thread = every(0.001, action, until=ended, name="test")
    until(lambda: len(calls) > 3)
    ended.set()
    thread.join(5)

    assert not thread.is_alive()
