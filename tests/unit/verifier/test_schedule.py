"""Fixity over time: what is due when, what begins, and that nobody overlooks a bad copy."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text

from bag_register.fixity import keep_fixity
from common.domain.replica import Verdict
from common.ledger import failing
from common.ledger.engine import transaction
from common.ledger.fixity import policies, reporting, scheduling
from common.ledger.fixity.reporting import Standing
from common.ledger.fixity.schedule_tables import copy_schedule
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import bag_locations, bag_versions, locations
from common.topology import REREADING
from unit.verifier.copies import Copies


def stated(
    engine: Engine, *, days: int = 10, space: str | None = None, at_once: int = 10, rate: int | None = None
) -> int:
    with transaction(engine) as connection:
        policy = policies.state(
            connection,
            location_id="cold",
            space=space,
            every_days=days,
            at_once=at_once,
            bytes_per_second=rate,
            actor="somebody",
        )
    return policy.id


def many_copies(engine: Engine, number: int, *, space: str = "space", bytes: int = 1000) -> None:
    """Copies at "cold" that were verified a moment ago."""
    with transaction(engine) as connection:
        if not connection.execute(text("SELECT 1 FROM locations")).first():
            connection.execute(insert(locations).values(id="cold", provider="memory", bucket="cold"))
        facts = {"version": 1, "info": {}, "checksum_algorithm": "sha256", "file_count": 1, "bytes": bytes, "pins": {}}
        facts |= {"created_date": datetime(2026, 1, 1), "files_key": "k", "files_sha256": "s", "space": space}
        for n in range(number):
            bag = connection.execute(
                insert(bag_versions).values(external_identifier=f"b{n}", **facts).returning(bag_versions.c.id)
            ).scalar_one()
            connection.execute(
                insert(bag_locations).values(
                    bag_version_id=bag, location_id="cold", evidence_class="E3", role="primary"
                )
            )


def all_due(engine: Engine) -> None:
    """Time passes until every copy is due, the ones with lower numbers for longer."""
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE copy_schedule SET due_at = now() - interval '1 hour' + bag_version_id * interval '1 second'")
        )


def look(engine: Engine) -> tuple[int, int]:
    with transaction(engine) as connection:
        looked = scheduling.look(connection)
    return looked.adopted, looked.begun


def running(engine: Engine) -> list[int]:
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT bag_version_id FROM fixity_checks WHERE state = 'rereading' ORDER BY id")
        )
        return list(rows.scalars())


def test_copies_of_one_day_are_spread_over_the_whole_period(engine: Engine) -> None:
    many_copies(engine, 400)
    stated(engine, days=10)

    looks = look(engine), look(engine)

    with transaction(engine) as connection:
        days = connection.execute(
            text(
                "SELECT floor(extract(epoch FROM due_at - now()) / 86400)::int AS day, count(*) FROM copy_schedule"
                " GROUP BY 1 ORDER BY 1"
            )
        ).all()
    assert looks == ((400, 0), (0, 0))
    assert [row.day for row in days] == list(range(1, 11))
    assert all(20 <= row.count <= 65 for row in days)


@pytest.mark.parametrize(("phase", "days_later"), [(0.0, 10.0), (0.5, 5.0), (0.05, 10.5), (0.999, 9.99)])
def test_a_copy_is_due_at_its_own_place_in_the_period(engine: Engine, phase: float, days_later: float) -> None:
    read_at = datetime.fromisoformat("1970-04-11T00:00:00+00:00")  # the beginning of a period of ten days

    with transaction(engine) as connection:
        due = connection.execute(
            text("SELECT fixity_due(:at, 10, :phase)"), {"at": read_at, "phase": phase}
        ).scalar_one()

    assert due - read_at == pytest.approx(timedelta(days=days_later), abs=timedelta(seconds=1))


def test_the_oldest_begin_first_and_no_more_than_may_run_at_once(engine: Engine) -> None:
    many_copies(engine, 5)
    stated(engine, at_once=2)
    look(engine)
    all_due(engine)

    looks = look(engine), look(engine)

    with transaction(engine) as connection:
        oldest = connection.execute(text("SELECT bag_version_id FROM copy_schedule ORDER BY due_at")).scalars().all()
    assert looks == ((0, 2), (0, 0))
    assert running(engine) == list(oldest[:2])


def test_no_more_begins_than_the_rate_pays_for(engine: Engine) -> None:
    many_copies(engine, 5, bytes=1000)
    stated(engine, rate=5)  # 200 seconds for each
    look(engine)
    all_due(engine)

    begun = look(engine)[1]

    assert (begun, look(engine)[1]) == (2, 0)  # the second one is paid for after the five minutes that a look covers


def test_a_policy_of_a_space_goes_before_that_of_all(engine: Engine) -> None:
    many_copies(engine, 2, space="a")
    many_copies(engine, 3, space="b")
    general = stated(engine)
    look(engine)
    special = stated(engine, space="b", days=5)

    look(engine)

    with transaction(engine) as connection:
        counts = {policy.id: totals.copies for policy, totals in reporting.totals(connection)}
    assert counts == {general: 2, special: 3}


def test_a_changed_period_moves_every_copy(engine: Engine) -> None:
    many_copies(engine, 3)
    stated(engine, days=10)
    look(engine)

    stated(engine, days=2)

    assert look(engine)[0] == 3
    with transaction(engine) as connection:
        latest = connection.execute(text("SELECT max(due_at) - now() FROM copy_schedule")).scalar_one()
    assert latest < timedelta(days=2.3)


def due_copy(engine: Engine) -> Copies:
    copies = Copies(engine)
    stated(engine)
    keep_fixity(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE copy_schedule SET due_at = now() - interval '2 days'"))
    return copies


def begun(copies: Copies) -> int:
    keep_fixity(copies.engine)
    (check,) = (row["id"] for row in copies.rows(fixity_checks) if row["state"] == "rereading")
    return int(check)


def test_a_copy_that_was_read_is_due_again_later_and_not_overdue(engine: Engine) -> None:
    copies = due_copy(engine)
    with transaction(engine) as connection:
        before = reporting.copies(connection, standing=Standing.OVERDUE, location_id=None, after=None, limit=9)

    copies.turn_of(begun(copies))

    with transaction(engine) as connection:
        after = reporting.copies(connection, standing=Standing.OVERDUE, location_id=None, after=None, limit=9)
        ((_, every),) = reporting.copies(connection, standing=Standing.ALL, location_id="cold", after=None, limit=9)
    assert ([copy.overdue for _, copy in before], after) == ([True], [])
    assert (every.verdict, every.evidence_class) == (Verdict.GOOD, "E3")
    assert look(engine) == (0, 0)


def test_a_check_that_fails_stays_overdue_and_is_not_begun_at_once(engine: Engine) -> None:
    copies = due_copy(engine)
    check_id = begun(copies)

    with transaction(engine) as connection:
        failing.fail(
            connection, stage=REREADING, row_id=check_id, code="access_denied", why="w", for_user="w", around=None
        )

    assert look(engine) == (0, 0)
    with transaction(engine) as connection:
        (left,) = reporting.copies(connection, standing=Standing.OVERDUE, location_id=None, after=None, limit=9)
    assert left[1].overdue
    assert copies.rows(copy_schedule)[0]["not_before"] > copies.found(check_id).created_at


def assert_everybody_hears(copies: Copies, told: str) -> None:
    """The alert path: the news that become CloudEvents, the report, the log."""
    assert [type_ for type_, _ in copies.news()] == ["copy.bad"]
    with transaction(copies.engine) as connection:
        bad = reporting.copies(connection, standing=Standing.BAD, location_id="cold", after=None, limit=9)
        assert reporting.health(connection) == {"cold": {"bad": 1}}
    assert [copy.verdict for _, copy in bad] == [Verdict.BAD]
    assert "copies_bad" in told


def spoiled(engine: Engine, capsys: pytest.CaptureFixture[str]) -> tuple[Copies, str]:
    """A copy whose bytes rot, and what the log says once the schedule has come round."""
    copies = due_copy(engine)
    copies.overwrite("data/a.txt", b"aab")
    capsys.readouterr()
    copies.turn_of(begun(copies))
    keep_fixity(engine)
    return copies, capsys.readouterr().out


def test_rot_is_found_by_itself_and_everybody_hears_of_it(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    copies, told = spoiled(engine, capsys)

    assert_everybody_hears(copies, told)
    assert copies.rows(bag_locations)[0]["evidence_class"] == "E1"


@pytest.mark.parametrize("table", ["announcements", "copy_health"])
def test_an_alert_that_is_broken_does_not_pass_for_one_that_works(
    engine: Engine, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    """The test of the alert path is worth what it notices: with a part of the path broken it must fail."""
    with transaction(engine) as connection:
        deaf = "CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        connection.execute(text(deaf))
        connection.execute(text(f"CREATE TRIGGER deaf BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION deaf()"))

    with pytest.raises(AssertionError):
        assert_everybody_hears(*spoiled(engine, capsys))
