"""A copy that has gone bad is told in the event, the digest and the metric; each way is cut once, and seen to be."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select, text

from common.domain.replica import Verdict
from common.ledger.engine import transaction
from common.ledger.tables import outbox
from ingests_api.cloud_events import pass_on
from unit.verifier.copies import Copies

EVERYWHERE = {"event", "digest", "metric", "log"}


def alarms(copies: Copies) -> set[str]:
    """Where a bad copy at the location "cold" is told of now."""
    pass_on(copies.engine, source="test")
    with transaction(copies.engine) as connection:
        bodies = connection.execute(select(outbox.c.body).where(outbox.c.queue == "events_daily")).scalars().all()
    with copies.register.serving() as client:
        digest = client.get("/reports/digest").raise_for_status().json()
        metrics = client.get("/metrics").raise_for_status().text.splitlines()
    told = {
        "event": any(json.loads(body)["type"] == "backfill.copy.bad" for body in bodies),
        "digest": "1 damaged copy" in digest["attention"],
        "metric": 'backfill_copies_damaged{location="cold"} 1.0' in metrics,
    }
    return {name for name, heard in told.items() if heard}


def gone_bad(engine: Engine) -> Copies:
    copies = Copies(engine)
    assert copies.checked().verdict is Verdict.GOOD
    assert alarms(copies) == set()
    copies.overwrite("data/a.txt", b"aab")
    return copies


def test_a_mismatch_is_told_in_event_digest_metric_and_log(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    copies = gone_bad(engine)

    assert copies.checked().verdict is Verdict.BAD

    logged = {"log"} if "alert=copy_bad" in capsys.readouterr().out.replace("'", "") else set()
    assert alarms(copies) | logged == EVERYWHERE


def test_a_copy_that_is_good_again_is_told_of_no_more(engine: Engine) -> None:
    copies = gone_bad(engine)
    copies.checked()
    copies.overwrite("data/a.txt", b"aaa")

    assert copies.checked().verdict is Verdict.GOOD

    assert alarms(copies) == {"event"}  # that of the day it was bad


@pytest.mark.parametrize(
    ("table", "broken", "left"),
    [
        ("announcements", "RETURN NULL;", {"digest", "metric"}),
        ("copy_health", "NEW.verdict := 'good'; RETURN NEW;", {"event"}),
    ],
)
def test_the_alarm_is_seen_to_fail_where_its_way_is_cut(
    engine: Engine, table: str, broken: str, left: set[str]
) -> None:
    copies = gone_bad(engine)
    with transaction(engine) as connection:
        connection.execute(
            text(f"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {broken} END $$")
        )
        connection.execute(
            text(f"CREATE TRIGGER aaa BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION broken()")
        )

    assert copies.checked().verdict is Verdict.BAD

    assert alarms(copies) == left
