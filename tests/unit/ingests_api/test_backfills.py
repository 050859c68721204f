"""Campaigns over HTTP, on a real ledger."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.errors import NotFound
from common.ledger.actions import actions_on
from common.ledger.engine import transaction
from common.ledger.tables import ingests
from common.thawing.pricing import NO_CLASSES, NO_PRICES
from unit.common.ledger.campaigns.builders import end, prepared
from unit.ingests_api.builders import AZURE, a_bag, an_app, registered_at, rows, serving


def campaign(**more: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"destination": {"id": "azure"}, "selection": {"missing": {}}}
    return document | more


def some_bags(engine: Engine, number: int = 3) -> None:
    for at in range(1, number + 1):
        a_bag(engine, BagVersion.of("digitised", f"b{at}", 1), bytes=100 * at)


def test_a_campaign_is_created_and_answers_for_itself(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)

    made = client.post(
        "/backfills", json=campaign(name="azure-2026", limits={"bagsInFlight": 2}, options={"tier": "Bulk"})
    )
    prepared(engine)
    found = client.get(made.headers["Location"]).json()

    assert made.status_code == 201
    assert made.headers["Location"] == f"{client.base_url}/backfills/{found['id']}".replace(":80/", "/")
    assert (found["state"]["id"], found["name"], found["destination"]["id"]) == ("running", "azure-2026", "azure")
    assert found["progress"] == {
        "selected": {"bags": 3, "files": 15, "bytes": 600},
        "succeeded": {"bags": 0, "files": 0, "bytes": 0},
        "failed": {"bags": 0},
        "alreadyThere": {"bags": 0},
        "underWay": {"bags": 2, "bytes": 300},
        "waiting": {"bags": 1},
    }
    assert [event["description"] for event in found["events"]] == [
        "Created",
        "Selected 3 bag versions, 600 bytes",
        "Every ingest is created; letting them in",
    ]
    assert {row["options"]["tier"] for row in rows(engine, ingests)} == {"Bulk"}
    with transaction(engine) as connection:
        assert [(one.who, one.what) for one in actions_on(connection, f"campaign:{found['id']}")] == [
            ("everyone", "campaign created")
        ]


def test_a_dry_run_says_what_would_be_and_creates_nothing(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    registered_at(engine, a_bag(engine, BagVersion.of("digitised", "b9", 1)), AZURE)

    told = client.post("/backfills?dryRun=true", json=campaign(order="smallest", expectedCount=4))

    assert (told.status_code, told.json()) == (
        200,
        {
            "type": "BackfillPreview",
            "destination": {"id": "azure", "type": "Location"},
            "wouldCreate": {"bags": 3, "files": 15, "bytes": 600},
            "expectedCount": 4,
            "asExpected": False,
            "first": ["digitised/b1/v1", "digitised/b2/v1", "digitised/b3/v1"],
            "cost": None,
            "costReason": NO_PRICES,
            "sources": [
                {
                    "location": {"id": "cold", "type": "Location"},
                    "bags": 3,
                    "objects": 15,
                    "bytes": 600,
                    "classes": None,
                    "classesReason": NO_CLASSES,
                    "cost": None,
                    "costReason": NO_PRICES,
                }
            ],
        },
    )
    assert client.get("/backfills").json() == {"type": "BackfillList", "results": []}


def test_a_list_of_bags_may_name_versions_or_whole_bags(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    a_bag(engine, BagVersion.of("digitised", "deep/er/name", 2))

    bags = ["digitised/b1/v1", "digitised/deep/er/name"]
    told = client.post("/backfills?dryRun=true", json=campaign(selection={"bags": bags}, order="registered")).json()

    assert told["first"] == ["digitised/b1/v1", "digitised/deep/er/name/v2"]


def test_unknown_bags_of_a_list_are_named_and_nothing_is_created(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine, 1)

    refused = client.post(
        "/backfills", json=campaign(selection={"bags": ["digitised/b1/v1", "digitised/b1/v7", "x/y"]})
    )

    assert refused.status_code == 404
    assert refused.json()["description"] == "2 of 3 bag versions are not registered: digitised/b1/v7, x/y."


def test_a_list_may_lie_in_a_store(engine: Engine) -> None:
    files = {"lists/one.csv": b"version,external_identifier,why,space\r\nv1,b2,x,digitised\r\n,b3,y,digitised\r\n"}

    def read(_location: LocationId, key: str, _most: int) -> bytes:
        if key not in files:
            raise NotFound(f"no object has the key {key}")
        return files[key]

    with serving(an_app(engine, read_object=read)) as client:
        some_bags(engine)
        wanted = campaign(selection={"csv": {"location": "cold", "key": "lists/one.csv"}})
        told = client.post("/backfills?dryRun=true", json=wanted).json()
        wanted = campaign(selection={"csv": {"location": "cold", "key": "lists/none.csv"}})
        refused = client.post("/backfills", json=wanted)

    assert told["first"] == ["digitised/b2/v1", "digitised/b3/v1"]
    assert (refused.status_code, "lists/none.csv cannot be read at cold" in refused.json()["description"]) == (
        400,
        True,
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            campaign(destination={"id": "nowhere"}),
            'Invalid value at .destination.id: got "nowhere", which is no location',
        ),
        (campaign(selection={}), "give exactly one of missing, bags, csv and failedOf (got none)"),
        (campaign(selection={"missing": {}, "bags": ["a/b"]}), "(got missing, bags)"),
        (campaign(limits={"bagsInFlite": 3}), ".limits.bagsInFlite: Extra inputs are not permitted"),
        (campaign(limits={"bagsInFlight": 0}), ".limits.bagsInFlight: Input should be greater than or equal to 1"),
        (campaign(selection={"bags": ["nonsense"]}), ".selection.bags[0]: 'nonsense' must be"),
        (campaign(options={"tier": "Fast"}), ".options.tier: Input should be 'Expedited', 'Standard' or 'Bulk'"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, wanted: dict[str, Any], said: str) -> None:
    refused = client.post("/backfills", json=wanted)

    assert refused.status_code == 400
    assert said in refused.json()["description"]


def test_pausing_resuming_and_cancelling_are_told_with_their_reasons(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    address = client.post("/backfills", json=campaign(limits={"bagsInFlight": 1})).headers["Location"]
    prepared(engine)

    paused = client.post(f"{address}/pause", json={"reason": "the month's budget"}).json()
    resumed = client.post(f"{address}/resume").json()
    cancelled = client.post(f"{address}/cancel", json={"reason": "wrong list"}).json()
    again = client.post(f"{address}/cancel")

    assert (paused["paused"], resumed["paused"], cancelled["state"]["id"]) == (True, False, "cancelling")
    assert [event["description"] for event in cancelled["events"]][-3:] == [
        "Paused: the month's budget",
        "Resumed",
        "Cancelled: wrong list; 2 ingests that had not begun were cancelled",
    ]
    assert (again.status_code, "is cancelling already" in again.json()["description"]) == (409, True)


def test_priority_and_limits_change_while_it_runs(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    limits = {"bagsInFlight": 1, "bytesInFlight": 500}
    address = client.post("/backfills", json=campaign(limits=limits)).headers["Location"]

    changed = client.patch(address, json={"priority": 7, "limits": {"bytesInFlight": None}}).json()
    refused = client.patch(address, json={})

    assert (changed["priority"], changed["limits"]) == (7, {"bagsInFlight": 1})
    assert changed["events"][-1]["description"] == "Changed priority to 7, bytes in flight to None"
    assert refused.status_code == 400


def test_failures_come_as_pages_and_as_csv_that_begins_the_next_campaign(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    address = client.post("/backfills", json=campaign()).headers["Location"]
    prepared(engine)
    for identifier in ("b1", "b2", "b3"):
        end(engine, identifier, "failed")
    prepared(engine)

    first = client.get(f"{address}/failures?limit=2").json()
    second = client.get(f"{address}/failures", params={"limit": 2, "after": first["next"]}).json()
    lines = client.get(f"{address}/failures?format=csv").text.splitlines()

    assert [one["externalIdentifier"] for one in first["results"] + second["results"]] == ["b1", "b2", "b3"]
    assert "next" not in second
    assert (lines[0], len(lines)) == ("space,external_identifier,version,ingest_id,code,reason,files,bytes", 4)

    retried = client.post(f"{address}/retry").json()
    prepared(engine)
    assert (retried["state"]["id"], client.get(address).json()["progress"]["failed"]) == ("creating", {"bags": 0})


def test_the_list_is_paged_newest_first(engine: Engine, client: httpx.Client) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        client.post("/backfills", json=campaign(name=name))

    seen, after = [], None
    while True:
        page = client.get("/backfills", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [one["name"] for one in page["results"]]
        after = page.get("next")
        if after is None:
            break

    assert seen == names[::-1]


@pytest.mark.parametrize("path", ["", "/failures", "/pause"])
def test_an_unknown_campaign_is_told(client: httpx.Client, path: str) -> None:
    address = f"/backfills/{uuid4()}{path}"

    answer = client.post(address) if path == "/pause" else client.get(address)

    assert (answer.status_code, answer.json()["label"]) == (404, "Not Found")


def test_the_same_key_begins_one_campaign(engine: Engine, client: httpx.Client) -> None:
    some_bags(engine)
    key = {"Idempotency-Key": "k1"}

    first, again = (client.post("/backfills", json=campaign(name="one"), headers=key) for _ in range(2))
    other = client.post("/backfills", json=campaign(name="two"), headers=key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert (again.content, again.headers["Location"]) == (first.content, first.headers["Location"])
    assert len(client.get("/backfills").json()["results"]) == 1
