"""Requirements over HTTP, on a real ledger."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine

from common.ledger.actions import actions_on
from common.ledger.engine import transaction
from common.ledger.requirements.auditing import audit_next
from unit.ingests_api.builders import a_bag


def test_a_requirement_is_stated_audited_listed_and_taken_back(engine: Engine, client: httpx.Client) -> None:
    a_bag(engine)
    wanted = {"location": {"id": "azure"}, "space": {"id": "digitised"}, "healing": {"atMost": 5}}

    stated = client.post("/requirements", json=wanted)
    with transaction(engine) as connection:
        audit_next(connection, period=timedelta(hours=1), new_id=uuid4())
    (listed,) = client.get("/requirements").json()["results"]
    gone = client.delete(f"/requirements/{listed['id']}")
    again = client.delete(f"/requirements/{listed['id']}")

    assert stated.status_code == 201
    assert (listed["location"]["id"], listed["space"]["id"]) == ("azure", "digitised")
    assert listed["healing"] == {"atMost": 5, "bagsInFlight": 50}
    assert listed["lastAudit"]["missing"] == {"bags": 1, "bytes": 100}
    assert client.get(f"/backfills/{listed['lastCampaign']}").json()["name"] == "audit of azure, digitised"
    assert (gone.status_code, again.status_code) == (204, 404)
    with transaction(engine) as connection:
        done = [one.what for one in actions_on(connection, f"requirement:{listed['id']}")]
    assert done == ["requirement stated", "requirement taken back"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"location": {"id": "nowhere"}}, '.location.id: got "nowhere", valid values are: azure, spare.'),
        ({"location": {"id": "azure"}, "space": {"id": "a/b"}}, "Invalid value at .space.id"),
        ({"location": {"id": "azure"}, "heal": {}}, ".heal: Extra inputs are not permitted"),
        ({"location": {"id": "azure"}, "healing": {"atMost": 0}}, ".healing.atMost: Input should be greater"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, wanted: dict[str, object], said: str) -> None:
    refused = client.post("/requirements", json=wanted)

    assert (refused.status_code, said in refused.json()["description"]) == (400, True)


def test_a_number_is_neither_true_nor_a_text(client: httpx.Client) -> None:
    answers = [
        client.post("/requirements", json={"location": {"id": "azure"}, "healing": {"atMost": value}})
        for value in (True, "5")
    ]

    assert [answer.status_code for answer in answers] == [400, 400]


def test_a_dry_run_says_what_is_missing_and_states_nothing(engine: Engine, client: httpx.Client) -> None:
    a_bag(engine)
    wanted = {"location": {"id": "azure"}, "space": {"id": "digitised"}, "healing": {"atMost": 5}}

    first = client.post("/requirements?dryRun=true", json=wanted)
    nothing = client.get("/requirements").json()["results"]
    client.post("/requirements", json=wanted)
    then = client.post("/requirements?dryRun=true", json=wanted).json()

    assert (first.status_code, first.json()) == (
        200,
        {
            "type": "DryRun",
            "would": "create",
            "location": {"id": "azure", "type": "Location"},
            "space": {"id": "digitised", "type": "Space"},
            "missing": {"bags": 1, "files": 5, "bytes": 100},
            "campaigns": {"bags": 1},
        },
    )
    assert (nothing, then["would"], then["missing"]["bags"]) == ([], "change", 1)
