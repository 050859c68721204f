"""Cancelling, failing and retrying over HTTP."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text

from common.ledger.actions import actions_on
from common.ledger.engine import transaction
from common.ledger.tables import replicas, segments
from unit.ingests_api.builders import AZURE, a_bag, fail, hints, registered_at, rows, wish

NOTHING = {"files": 0, "bytes": 0}
WHY = {"reason": "withdrawn by the depositor"}


def begun(client: httpx.Client, engine: Engine, **more: object) -> str:
    """An ingest that has just been accepted."""
    a_bag(engine)
    return str(client.post("/ingests", json=wish(**more)).raise_for_status().json()["id"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "code", "said"),
    [("cancel", "cancelled", "Cancelled"), ("fail", "failed_by_operator", "Failed by hand")],
)
def test_an_ingest_is_ended_and_says_by_whom_why_and_what_it_had_asked_for(
    client: httpx.Client, engine: Engine, action: str, code: str, said: str
) -> None:
    ingest_id = begun(client, engine)
    noted = '{"restores": {"tier": "Bulk", "days": 3, "objects": 7, "bytes": 700}}'
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET progress = CAST(:noted AS jsonb)"), {"noted": noted})

    answer = client.post(f"/ingests/{ingest_id}/{action}", json=WHY)
    after = client.get(f"/ingests/{ingest_id}").json()

    document = answer.json()
    assert answer.status_code == 200
    assert document.pop("spent") == {
        "type": "Spent",
        "restores": [{"tier": "Bulk", "days": 3, "objects": 7, "bytes": 700}],
        "copied": NOTHING,
        "copying": NOTHING,
        "verified": NOTHING,
    }
    assert document == after
    assert document["status"]["id"] == "failed"
    assert document["error"] == {
        "code": code,
        "description": f"{said} by everyone - withdrawn by the depositor",
        "type": "IngestError",
    }
    with transaction(engine) as connection:
        *_, action_ = actions_on(connection, f"ingest:{ingest_id}")
    assert (action_.who, action_.why) == ("everyone", "withdrawn by the depositor")


@pytest.mark.parametrize("action", ["cancel", "fail"])
def test_what_has_finished_is_not_ended_again(client: httpx.Client, engine: Engine, action: str) -> None:
    ingest_id = begun(client, engine)
    client.post(f"/ingests/{ingest_id}/cancel", json=WHY)

    again = client.post(f"/ingests/{ingest_id}/{action}", json=WHY)

    assert again.status_code == 409
    assert again.json() == {
        "errorType": "http",
        "httpStatus": 409,
        "label": "Conflict",
        "description": f"Ingest {ingest_id} has failed, and that is final. Retry it if it failed; "
        "a new ingest does its work then. One that succeeded needs nothing.",
        "code": "already_finished",
        "type": "Error",
    }


def test_the_retry_of_a_failed_ingest_answers_with_a_new_one(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine, options={"tier": "Bulk"})
    fail(engine, ingest_id)

    answer = client.post(f"/ingests/{ingest_id}/retry", json=WHY)
    again = client.post(f"/ingests/{ingest_id}/retry", json=WHY)

    new = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"{client.base_url}/ingests/{new['id']}")
    assert (new["retryOf"], new["status"]["id"], new["options"]) == (ingest_id, "accepted", {"tier": "Bulk"})
    assert (again.status_code, again.json()["id"]) == (200, new["id"])
    assert [str(row["ingest_id"]) for row in rows(engine, replicas)] == [new["id"]]


def test_the_retry_of_one_that_waits_lets_it_go_on(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine)
    with transaction(engine) as connection:
        connection.execute(text("DELETE FROM outbox"))
        connection.execute(text("UPDATE replicas SET not_before = now() + interval '15 minutes', attempts = 3"))

    answer = client.post(f"/ingests/{ingest_id}/retry", json=WHY)

    assert (answer.status_code, answer.json()["id"]) == (200, ingest_id)
    assert [queue for queue, _ in hints(engine)] == ["bag_warmer_planning_backfill"]


def test_there_is_nothing_to_retry_while_a_worker_has_it_or_after_it_succeeded(
    client: httpx.Client, engine: Engine
) -> None:
    ingest_id = begun(client, engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET lease_until = now() + interval '1 minute'"))
    worked_on = client.post(f"/ingests/{ingest_id}/retry", json=WHY)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE ingests SET status = 'succeeded', finished_at = now()"))
    succeeded = client.post(f"/ingests/{ingest_id}/retry", json=WHY)

    assert [(answer.status_code, answer.json()["code"]) for answer in (worked_on, succeeded)] == [
        (409, "nothing_to_retry"),
        (409, "already_finished"),
    ]


@pytest.mark.parametrize("action", ["cancel", "fail", "retry"])
def test_a_reason_must_be_given_for_an_ingest_that_exists(client: httpx.Client, engine: Engine, action: str) -> None:
    ingest_id = begun(client, engine)
    bodies = [{}, {"reason": " "}, {"reason": "x" * 1001}, {"reason": 7}, {"reason": "a\x00b"}]
    answers = [client.post(f"/ingests/{ingest_id}/{action}", json=body) for body in bodies]
    unknown = client.post(f"/ingests/{uuid4()}/{action}", json=WHY)

    assert [answer.status_code for answer in answers] == [400] * 5
    assert all("Invalid value at .reason: " in answer.json()["description"] for answer in answers)
    assert unknown.status_code == 404
    assert rows(engine, segments) == []


def test_a_part_that_has_stalled_is_shown_while_it_lasts(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine)
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE replicas SET stalled_at = now(), entered_at = '2026-01-01Z', last_error = 'no'")
        )
    during = client.get(f"/ingests/{ingest_id}").json()
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET state = 'transferring'"))
    after = client.get(f"/ingests/{ingest_id}").json()

    assert during["stalled"] == {
        "since": "2026-01-01T00:00:00.000000Z",
        "stage": "planning",
        "reason": "no worker has taken it, and none works on anything like it: does bag_warmer run?",
        "lastError": "no",
        "type": "Stall",
    }
    assert "stalled" not in after


def test_the_retry_of_a_copy_that_is_there_by_now_succeeds_at_once(client: httpx.Client, engine: Engine) -> None:
    bag_id = a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    fail(engine, ingest_id)
    registered_at(engine, bag_id, AZURE)

    answer = client.post(f"/ingests/{ingest_id}/retry", json=WHY)

    assert (answer.status_code, answer.json()["status"]["id"]) == (201, "succeeded")
