"""What a request can say, and what it comes to: versions, destinations, sources, urgency, and what is only told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from common.domain.bag import BagVersion
from common.ledger.asking_tables import callbacks
from common.ledger.engine import transaction
from common.ledger.tables import ingests, outbox, replicas
from unit.ingests_api.builders import AZURE, COLD, SPARE, a_bag, an_app, fail, hints, registered_at, rows, serving, wish

B1, B1_V2, B1_V10 = (BagVersion.of("digitised", "b1", number) for number in (1, 2, 10))
SOON = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
PAST = "2020-01-01T00:00:00Z"


def ask(client: httpx.Client, document: Any, **query: str) -> Any:
    answer = client.post("/ingests", json=document, params=query)
    return answer.json() | {"status_code": answer.status_code}


def test_the_latest_version_may_be_called_so(client: httpx.Client, engine: Engine) -> None:
    for bag in (B1, B1_V10, B1_V2):
        a_bag(engine, bag)
    found = ask(client, wish(info={"version": "latest"}))
    assert (found["status_code"], found["bag"]["info"]["version"]) == (201, "v10")


def test_all_versions_make_one_ingest_each_the_oldest_first(client: httpx.Client, engine: Engine) -> None:
    for bag in (B1_V10, B1, B1_V2):
        a_bag(engine, bag)
    found = ask(client, wish(info={"version": "all"}, callback={"url": "https://example.org/x"}))
    again = ask(client, wish(info={"version": "all"}))
    versions = [one["bag"]["info"]["version"] for one in found["results"]]
    assert (found["status_code"], found["created"], found["running"], versions) == (201, 3, 0, ["v1", "v2", "v10"])
    assert (again["status_code"], again["created"], again["running"]) == (200, 0, 3)
    assert [one["id"] for one in again["results"]] == [one["id"] for one in found["results"]]
    planned = {row["ingest_id"]: row["id"] for row in rows(engine, replicas)}
    order = [planned[row["id"]] for row in sorted(rows(engine, ingests), key=lambda row: row["version"])]
    assert [body for _, body in hints(engine)] == [
        f'{{"replica_id":{replica_id},"type":"ReplicaRequested"}}' for replica_id in order
    ]
    assert len(rows(engine, callbacks)) == 3


def test_several_destinations_make_several_ingests(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    found = ask(client, wish(to=None, destinations=[{"id": "spare"}, {"id": "azure"}]))
    assert (found["status_code"], found["type"]) == (201, "ResultList")
    assert [one["destination"]["id"] for one in found["results"]] == ["azure", "spare"]


def test_one_bad_destination_refuses_them_all(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    found = ask(client, wish(to=None, destinations=[{"id": "azure"}, {"id": "nowhere"}]))
    assert (found["status_code"], rows(engine, ingests)) == (400, [])


def test_more_than_can_be_asked_for_at_once_is_a_campaign(client: httpx.Client, engine: Engine) -> None:
    for number in range(1, 102):
        a_bag(engine, BagVersion.of("digitised", "b1", number))
    document = wish(to=None, info={"version": "all"}, destinations=[{"id": "azure"}, {"id": "spare"}])
    found = ask(client, document)
    assert (found["status_code"], "POST /backfills" in found["description"]) == (400, True)


def test_where_the_primary_copy_lies_the_bag_is_there_already(engine: Engine) -> None:
    with serving(an_app(engine, writable=[AZURE, COLD])) as client:
        a_bag(engine)
        found = ask(client, wish(to="cold"))
    assert (found["status_code"], found["status"]["id"]) == (201, "succeeded")
    assert found["events"][0]["description"].endswith("digitised/b1/v1 is already registered at Amazon Glacier")
    assert rows(engine, replicas) == []


def sources(engine: Engine, *, warm: Any, copies: Any, evidence: str = "E3") -> Any:
    with serving(an_app(engine, warm=warm, writable=[AZURE, SPARE])) as client:
        bag_id = a_bag(engine)
        for copy in copies:
            registered_at(engine, bag_id, copy)
        with transaction(engine) as connection:
            connection.execute(text("ALTER TABLE bag_locations DISABLE TRIGGER bag_locations_keep"))
            connection.execute(
                text("UPDATE bag_locations SET evidence_class = :e WHERE role = 'replica'"), {"e": evidence}
            )
            connection.execute(text("ALTER TABLE bag_locations ENABLE TRIGGER bag_locations_keep"))
        return ask(client, wish(to="spare"))["sourceLocation"]["id"]


def test_a_warm_copy_is_preferred_to_a_thaw(engine: Engine) -> None:
    assert sources(engine, warm=[AZURE], copies=[AZURE]) == "azure"


@pytest.mark.parametrize(
    ("warm", "copies", "evidence"),
    [([], [AZURE], "E3"), ([AZURE], [], "E3"), ([SPARE], [AZURE], "E3"), ([AZURE], [AZURE], "E2")],
    ids=["none is warm", "the bag is not there", "it is the destination", "it was never read back"],
)
def test_otherwise_the_primary_is_copied_from(engine: Engine, warm: Any, copies: Any, evidence: str) -> None:
    assert sources(engine, warm=warm, copies=copies, evidence=evidence) == "cold"


def test_of_warm_copies_the_cheapest_is_taken_and_a_named_source_always(engine: Engine) -> None:
    with serving(an_app(engine, warm=[COLD, AZURE], writable=[SPARE])) as client:
        registered_at(engine, a_bag(engine), AZURE)
        told = [
            ask(client, wish(to="spare", **given), dryRun="true")["results"][0]["sourceLocation"]["id"]
            for given in ({}, {"sourceLocation": {"id": "azure"}})
        ]
    assert told == ["cold", "azure"]


def test_a_tier_that_the_source_does_not_offer_is_refused(engine: Engine) -> None:
    with serving(an_app(engine, frozen={COLD: "DEEP_ARCHIVE"})) as client:
        a_bag(engine)
        answers = [ask(client, wish(options={"tier": tier})) for tier in ("Expedited", "Standard")]
    assert [answer["status_code"] for answer in answers] == [400, 201]
    assert answers[0]["description"] == (
        'Invalid value at .options.tier: got "Expedited", which is not offered for DEEP_ARCHIVE, where cold keeps its '
        "bags. Send Standard (within 12 hours) or Bulk (within 48 hours)."
    )


def test_what_was_asked_for_is_shown_and_kept_with_the_replica(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    options = {"tier": "Bulk", "priority": 7, "deadline": SOON.isoformat(), "clientTag": "project 12"}
    found = ask(client, wish(options=options))
    assert found["options"] == options | {"deadline": SOON.strftime("%Y-%m-%dT%H:%M:%S.000000Z")}
    (row,) = rows(engine, replicas)
    assert (row["priority"], row["deadline"]) == (7, SOON)


def test_a_deadline_that_has_passed_is_refused(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    found = ask(client, wish(options={"deadline": PAST}))
    assert (found["status_code"], "which has passed" in found["description"]) == (400, True)


def test_an_ingest_past_its_deadline_says_so(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = ask(client, wish(options={"deadline": SOON.isoformat()}))["id"]
    in_time = client.get(f"/ingests/{ingest_id}").json()
    with transaction(engine) as connection:
        options = f'{{"deadline": "{PAST}"}}'
        connection.execute(text("UPDATE ingests SET options = cast(:o as jsonb)"), {"o": options})
    late = client.get(f"/ingests/{ingest_id}").json()
    assert ("overdue" in in_time, late["overdue"]) == (False, True)


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(client: httpx.Client, engine: Engine) -> None:
    there = a_bag(engine, B1, file_count=3, bytes=10)
    a_bag(engine, B1_V2, file_count=5, bytes=100)
    a_bag(engine, B1_V10, file_count=7, bytes=1000)
    registered_at(engine, there, AZURE)
    running = ask(client, wish(info={"version": "v2"}))["id"]
    before = [rows(engine, table) for table in (ingests, replicas, outbox)]
    told = ask(client, wish(info={"version": "all"}), dryRun="true")
    assert [rows(engine, table) for table in (ingests, replicas, outbox)] == before
    assert [(one["version"], one["would"], one["objects"], one.get("ingest")) for one in told["results"]] == [
        ("v1", "nothing", 3, None),
        ("v2", "join", 5, running),
        ("v10", "create", 7, None),
    ]
    assert told["wouldCreate"] == {"ingests": 1, "objects": 7, "bytes": 1000}
    assert (told["cost"], told["costReason"]) == (None, "No prices are known to this deployment, and none are guessed.")
    assert told["results"][0]["classes"] is None
    assert told["results"][2]["said"] == "digitised/b1/v10 would be copied from Amazon Glacier to Azure."


def test_a_dry_run_names_the_class_where_the_location_does(engine: Engine) -> None:
    with serving(an_app(engine, frozen={COLD: "GLACIER"})) as client:
        a_bag(engine)
        told = ask(client, wish(), dryRun="true")
    assert told["results"][0]["classes"] == {"GLACIER": {"objects": 5, "bytes": 100}}


def test_a_dry_run_refuses_what_the_request_would_be_refused_for(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    assert [ask(client, document, dryRun="true")["status_code"] for document in (wish("b2"), wish(to="nowhere"))] == [
        404,
        400,
    ]


def test_a_retry_is_as_urgent_as_what_it_retries(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    failed = ask(client, wish(options={"priority": 7, "deadline": SOON.isoformat()}))["id"]
    fail(engine, failed)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET priority = 0, deadline = NULL"))
    assert client.post(f"/ingests/{failed}/retry", json={"reason": "mended"}).status_code in (200, 201, 202)
    (row,) = rows(engine, replicas)
    assert (row["priority"], row["deadline"]) == (7, SOON)
