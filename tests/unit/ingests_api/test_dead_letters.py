"""Dead letters over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine, select

from common.ledger import failing
from common.ledger.engine import transaction
from common.ledger.tables import dead_letters
from unit.ingests_api.builders import a_bag, fail, wish

WHY = {"reason": "the disk was full"}


def given_up(client: httpx.Client, engine: Engine) -> tuple[str, str]:
    """A failed ingest and its dead letter's id."""
    a_bag(engine)
    ingest_id = str(client.post("/ingests", json=wish()).raise_for_status().json()["id"])
    fail(engine, ingest_id)
    with transaction(engine) as connection:
        letter_id = connection.execute(
            dead_letters.insert()
            .values(
                queue="backfill_replicator_copying_backfill",
                body='{"segment_id":7,"type":"SegmentThawed"}',
                kind="segment",
                row_id=7,
                ingest_id=UUID(ingest_id),
                code="attempts_exhausted",
                reason="timeout",
                attempts=5,
            )
            .returning(dead_letters.c.id)
        ).scalar_one()
    return ingest_id, str(letter_id)


def poison(engine: Engine, number: int = 1) -> list[str]:
    with transaction(engine) as connection:
        for _ in range(number):
            failing.dead_letter(
                connection, queue="verifier_verifying_daily", body=b"\xff", code="not_a_hint", reason="not JSON"
            )
        return [str(one) for one in connection.execute(select(dead_letters.c.id).order_by(dead_letters.c.id)).scalars()]


def test_a_dead_letter_is_shown_with_what_was_decided(client: httpx.Client, engine: Engine) -> None:
    ingest_id, letter_id = given_up(client, engine)

    before = client.get(f"/dead-letters/{letter_id}").json()
    redriven = client.post(f"/dead-letters/{letter_id}/redrive", json=WHY)
    after = client.get(f"/dead-letters/{letter_id}").json()

    created = before.pop("createdDate")
    assert before == {
        "id": letter_id,
        "type": "DeadLetter",
        "stage": "copying",
        "queue": "backfill_replicator_copying_backfill",
        "code": "attempts_exhausted",
        "reason": "timeout",
        "attempts": 5,
        "ingestId": ingest_id,
        "body": '{"segment_id":7,"type":"SegmentThawed"}',
        "status": {"id": "open", "type": "Status"},
        "actions": [],
    }
    assert (redriven.status_code, redriven.json()) == (200, after)
    new = client.get(f"/ingests/{after['redrivenAs']}").json()
    (action,) = after["actions"]
    assert action.pop("createdDate") == after["resolvedDate"] or after["resolvedDate"] > created
    assert (after["status"]["id"], new["retryOf"]) == ("redriven", ingest_id)
    assert action == {
        "description": "dead letter redriven",
        "actor": "everyone",
        "reason": "the disk was full",
        "type": "Action",
    }


def test_pages_lead_to_every_dead_letter_once(client: httpx.Client, engine: Engine) -> None:
    ids = poison(engine, 5)
    found: list[Any] = []
    params: dict[str, Any] | None = {"limit": 2}
    while params:
        page = client.get("/dead-letters", params=params).json()
        found += [one["id"] for one in page["results"]]
        poison(engine)  # what comes later does not move the pages
        params = {"limit": 2, "after": page["next"]} if "next" in page else None

    assert found == ids[::-1]


def test_dead_letters_are_found_by_stage_code_ingest_and_whether_they_are_open(
    client: httpx.Client, engine: Engine
) -> None:
    ingest_id, letter_id = given_up(client, engine)
    *_, other = poison(engine)
    client.post(f"/dead-letters/{other}/discard", json=WHY).raise_for_status()

    def found(**params: Any) -> list[str]:
        return [one["id"] for one in client.get("/dead-letters", params=params).raise_for_status().json()["results"]]

    assert found(stage="copying") == found(code="attempts_exhausted") == found(ingest=ingest_id) == [letter_id]
    assert (found(open="true"), found(open="false"), found()) == ([letter_id], [other], [other, letter_id])


def test_what_cannot_be_redriven_is_refused_with_its_code(client: httpx.Client, engine: Engine) -> None:
    (letter_id,) = poison(engine)
    refused = client.post(f"/dead-letters/{letter_id}/redrive", json=WHY)
    discarded = client.post(f"/dead-letters/{letter_id}/discard", json=WHY)
    again = client.post(f"/dead-letters/{letter_id}/discard", json=WHY)

    assert [answer.status_code for answer in (refused, discarded, again)] == [409, 200, 409]
    assert [answer.json()["code"] for answer in (refused, again)] == ["not_redrivable", "already_resolved"]
    assert discarded.json()["status"]["id"] == "discarded"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/dead-letters/99", 404),
        ("POST", "/dead-letters/99/redrive", 404),
        ("POST", "/dead-letters/99/discard", 404),
        ("GET", "/dead-letters/x", 400),
        ("GET", "/dead-letters/99999999999999999999", 400),
        ("GET", "/dead-letters?stage=unheard", 400),
        ("GET", "/dead-letters?after=x", 400),
        ("GET", "/dead-letters?limit=0", 400),
    ],
)
def test_what_is_not_there_or_not_understood_is_refused(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path, json=WHY if method == "POST" else None)

    assert (answer.status_code, answer.json()["type"]) == (status, "Error")
