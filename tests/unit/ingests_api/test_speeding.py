"""Making a running thaw faster, over HTTP."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine

from common.ledger.actions import actions_on
from common.ledger.engine import transaction
from unit.ingests_api.builders import COLD, a_bag, an_app, hints, serving, wish

WHY = {"reason": "a reader waits"}


def begun(client: httpx.Client, engine: Engine, **options: object) -> str:
    a_bag(engine)
    return str(client.post("/ingests", json=wish(options=options)).raise_for_status().json()["id"])


def test_pitfall_12_a_running_ingest_thaws_by_a_faster_tier_from_now_on(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine, tier="Bulk", priority=3)
    before = len(hints(engine))

    answer = client.post(f"/ingests/{ingest_id}/speed-up", json=WHY | {"tier": "Standard"})

    found = answer.json()
    assert (answer.status_code, found["options"]) == (200, {"tier": "Standard", "priority": 3})
    assert found["events"][-1]["description"] == "Thawed as Standard from now on, by everyone - a reader waits"
    assert len(hints(engine)) == before + 1
    with transaction(engine) as connection:
        [*_, action] = actions_on(connection, f"ingest:{ingest_id}")
    assert (action.what, action.why) == ("ingest sped up", "a reader waits")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"tier": "Bulk"}, 409, "Bulk is no faster"),
        ({"tier": "Standard"}, 409, "Standard is no faster"),
        ({"tier": "Fast"}, 400, "Invalid value at .tier"),
        ({}, 400, ".tier"),
        ({"tier": "Expedited", "reason": ""}, 400, "Invalid value at .reason"),
    ],
)
def test_what_is_no_faster_tier_is_refused(
    client: httpx.Client, engine: Engine, body: dict[str, str], status: int, said: str
) -> None:
    ingest_id = begun(client, engine, tier="Standard")

    answer = client.post(f"/ingests/{ingest_id}/speed-up", json=WHY | body)

    assert answer.status_code == status
    assert said in answer.json()["description"]


def test_pitfall_11_a_tier_that_the_source_has_not_changes_nothing(engine: Engine) -> None:
    with serving(an_app(engine, frozen={COLD: "DEEP_ARCHIVE"})) as client:
        ingest_id = begun(client, engine)
        answer = client.post(f"/ingests/{ingest_id}/speed-up", json=WHY | {"tier": "Expedited"})
        after = client.get(f"/ingests/{ingest_id}").json()

    assert answer.status_code == 400
    assert "not offered for DEEP_ARCHIVE" in answer.json()["description"]
    assert "tier" not in after.get("options", {})


def test_what_has_ended_or_never_was_is_not_sped_up(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine)
    client.post(f"/ingests/{ingest_id}/cancel", json=WHY)

    ended = client.post(f"/ingests/{ingest_id}/speed-up", json=WHY | {"tier": "Expedited"})
    unknown = client.post(f"/ingests/{uuid4()}/speed-up", json=WHY | {"tier": "Expedited"})

    assert [(ended.status_code, ended.json()["code"]), unknown.status_code] == [(409, "already_finished"), 404]
