"""Asking for backfills, and following them, over HTTP and a real ledger."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from common.ledger.engine import open_engine, transaction
from common.ledger.tables import ingest_events, ingests, replicas, segments
from unit.ingests_api.builders import AZURE, a_bag, an_app, fail, hints, registered_at, rows, serving, wish

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NOTHING = {"segments": 0, "files": 0, "bytes": 0}


def replica(engine: Engine) -> dict[str, object]:
    (row,) = rows(engine, replicas)
    kept = ("state", "ingest_id", "source_id", "location_id", "lane", "fence", "attempts", "progress", "pins")
    return {name: row[name] for name in kept} | {"error_code": row["error_code"], "last_error": row["last_error"]}


def test_a_backfill_is_accepted_with_its_whole_document(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine, BagVersion.of("digitised", "PP/MIA 1", 2))
    answer = client.post("/ingests", json=wish("PP/MIA 1", options={"tier": "Bulk"}))
    document = answer.json()
    ingest_id = document["id"]
    assert (answer.status_code, answer.headers["location"]) == (201, f"{client.base_url}/ingests/{ingest_id}")
    assert UUID(ingest_id).version == 4
    assert TIME.fullmatch(document.pop("createdDate"))
    assert document == {
        "id": ingest_id,
        "type": "Ingest",
        "sourceLocation": {
            "id": "cold",
            "provider": {"id": "amazon-s3", "type": "Provider"},
            "bucket": "archive",
            "path": "digitised/PP/MIA 1",
            "type": "Location",
        },
        "destination": {
            "id": "azure",
            "provider": {"id": "azure-blob-storage", "type": "Provider"},
            "bucket": "replicas",
            "path": "bags/digitised/PP/MIA 1",
            "type": "Location",
        },
        "ingestType": {"id": "backfill", "type": "IngestType"},
        "space": {"id": "digitised", "type": "Space"},
        "status": {"id": "accepted", "type": "Status"},
        "bag": {"info": {"externalIdentifier": "PP/MIA 1", "version": "v2", "type": "BagInfo"}, "type": "Bag"},
        "options": {"tier": "Bulk"},
        "progress": {"planned": NOTHING, "thawed": NOTHING, "copied": NOTHING, "verified": NOTHING},
        "events": [],
    }


def test_accepting_makes_the_replica_and_its_first_hint_with_the_ingest(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    (row,) = rows(engine, replicas)
    assert (row["ingest_id"], row["state"], row["lane"], row["source_id"], row["location_id"]) == (
        UUID(ingest_id), "planning", "backfill", "cold", "azure"
    )  # fmt: skip
    ((queue, body),) = hints(engine)
    assert (queue, json.loads(body)) == (
        "bag_warmer_planning_backfill",
        {"replica_id": row["id"], "type": "ReplicaRequested"},
    )


def test_an_ingest_reads_as_it_was_answered(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    options = {"tier": "Bulk", "priority": 3, "deadline": "2130-01-31T18:00:00+01:00", "clientTag": "ü"}
    created = client.post("/ingests", json=wish(callback={"url": "https://example.org/x"}, options=options))
    read = client.get(created.headers["location"])
    assert (read.status_code, read.json()) == (200, created.json())
    assert read.json()["callback"] == {
        "url": "https://example.org/x",
        "status": {"id": "pending", "type": "Status"},
        "type": "Callback",
    }


def test_the_latest_version_is_meant_unless_one_is_named(client: httpx.Client, engine: Engine) -> None:
    for number in (1, 2, 10):
        a_bag(engine, BagVersion.of("digitised", "b1", number))
    latest, named = (client.post("/ingests", json=wish(info=info)).json() for info in ({}, {"version": "v2"}))
    assert [d["bag"]["info"]["version"] for d in (latest, named)] == ["v10", "v2"]


def test_asking_again_while_it_runs_names_the_same_ingest(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    first, second = (client.post("/ingests", json=wish()) for _ in range(2))
    assert (second.status_code, second.headers["location"]) == (200, first.headers["location"])
    assert (second.json(), len(rows(engine, ingests)), len(hints(engine))) == (first.json(), 1, 1)


def test_a_bag_that_is_there_already_succeeds_at_once(client: httpx.Client, engine: Engine) -> None:
    registered_at(engine, a_bag(engine), AZURE)
    answer = client.post("/ingests", json=wish())
    assert answer.status_code == 201
    assert answer.json()["status"]["id"] == "succeeded"
    assert [event["description"] for event in answer.json()["events"]] == [
        "Register succeeded (completed) - digitised/b1/v1 is already registered at Azure"
    ]
    assert (rows(engine, replicas), hints(engine)) == ([], [])


def test_after_a_failure_the_replica_is_planned_anew_with_its_fence(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    failed = client.post("/ingests", json=wish()).json()["id"]
    fail(engine, failed)
    again = client.post("/ingests", json=wish())
    assert (again.status_code, again.json()["status"]["id"]) == (201, "accepted")
    assert replica(engine) == {
        "state": "planning",
        "ingest_id": UUID(again.json()["id"]),
        "source_id": "cold",
        "location_id": "azure",
        "lane": "backfill",
        "fence": 7,
        "attempts": 0,
        "progress": {},
        "pins": None,
        "error_code": None,
        "last_error": None,
    }
    assert len(hints(engine)) == 2


def test_a_failed_ingest_tells_its_code(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    fail(engine, ingest_id)
    document = client.get(f"/ingests/{ingest_id}").json()
    assert (document["status"]["id"], document["error"], document["lastModifiedDate"]) == (
        "failed",
        {"code": "source_vanished", "description": "Planning failed - an object is gone", "type": "IngestError"},
        document["events"][-1]["createdDate"],
    )


def test_events_are_sorted_by_their_dates(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    days = {"third": 3, "first": 1, "second": 2}
    with transaction(engine) as connection:
        for text, day in days.items():
            moment = datetime(2026, 1, day, tzinfo=UTC)
            connection.execute(
                ingest_events.insert().values(ingest_id=UUID(ingest_id), description=text, created_at=moment)
            )
    document = client.get(f"/ingests/{ingest_id}").json()
    assert [event["description"] for event in document["events"]] == ["first", "second", "third"]
    assert document["lastModifiedDate"] == "2026-01-03T00:00:00.000000Z"


def test_progress_counts_what_has_come_at_least_so_far(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = UUID(client.post("/ingests", json=wish()).json()["id"])
    states = ["thawing", "copying", "verifying", "verified", "verified"]
    with transaction(engine) as connection:
        replica_id = rows(engine, replicas)[0]["id"]
        for number, state in enumerate(states, start=1):
            values = {"number": number, "state": state, "files": [], "file_count": 2, "bytes": 10 * number}
            connection.execute(segments.insert().values(replica_id=replica_id, ingest_id=ingest_id, **values))
    assert client.get(f"/ingests/{ingest_id}").json()["progress"] == {
        "planned": {"segments": 5, "files": 10, "bytes": 150},
        "thawed": {"segments": 4, "files": 8, "bytes": 140},
        "copied": {"segments": 3, "files": 6, "bytes": 120},
        "verified": {"segments": 2, "files": 4, "bytes": 90},
    }


def test_the_only_other_location_need_not_be_named(engine: Engine) -> None:
    with serving(an_app(engine, writable=[AZURE])) as client:
        a_bag(engine)
        assert client.post("/ingests", json=wish(to=None)).json()["destination"]["id"] == "azure"


def refusal(client: httpx.Client, document: object) -> tuple[int, str]:
    body = client.post("/ingests", json=document).json()
    return body["httpStatus"], body["description"]


def test_a_destination_that_cannot_be_is_refused_with_the_choices(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    choices = "Valid values are: azure, spare."
    assert [refusal(client, wish(to=to)) for to in (None, "cold", "nowhere")] == [
        (400, f"Invalid value at .destination: Missing required field. {choices}"),
        (400, f'Invalid value at .destination.id: got "cold", which is the source. {choices}'),
        (400, f'Invalid value at .destination.id: got "nowhere", which is no known location. {choices}'),
    ]
    with serving(an_app(engine, writable=[AZURE])) as narrow:
        assert refusal(narrow, wish(to="spare")) == (
            400,
            'Invalid value at .destination.id: got "spare", which is not a location that backfills may write to. '
            "Valid values are: azure.",
        )
    assert rows(engine, ingests) == []


def test_a_source_where_the_bag_is_not_is_refused(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    good = {"provider": {"id": "amazon-s3"}, "bucket": "archive", "path": "digitised/b1/v1"}
    assert refusal(client, wish(sourceLocation=good | {"path": "uploads/b1.tar.gz"})) == (
        400,
        "Invalid value at .sourceLocation: digitised/b1/v1 is not registered there. It is at: cold (amazon-s3, bucket "
        "archive, path digitised/b1). Leave sourceLocation out to copy from the primary.",
    )
    assert client.post("/ingests", json=wish(sourceLocation=good)).status_code == 201


def test_an_unknown_bag_or_version_says_what_to_send_instead(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    assert [refusal(client, wish("b2")), refusal(client, wish(info={"version": "v9"}))] == [
        (
            404,
            "Bag digitised/b2 is not registered. Check .space.id and .bag.info.externalIdentifier, or import the "
            "location that holds it: POST /imports to the bag register.",
        ),
        (404, "Bag digitised/b1 has no version v9. Registered versions: v1."),
    ]


def error(status: int, label: str, description: str) -> dict[str, object]:
    return {"errorType": "http", "httpStatus": status, "label": label, "description": description, "type": "Error"}


def test_every_refusal_has_the_known_shape(client: httpx.Client) -> None:
    unknown = uuid4()
    headers = {"Content-Type": "application/json"}
    answers = [
        client.get(f"/ingests/{unknown}"),
        client.get("/ingests/not-an-id"),
        client.delete(f"/ingests/{unknown}"),
        client.get("/elsewhere"),
        client.post("/ingests", content="x", headers={"Content-Type": "text/plain; charset=UTF-8"}),
        client.post("/ingests", content="hgjh", headers=headers),
        client.post("/ingests", content='{"a": }', headers=headers),
        client.post("/ingests", content="", headers=headers),
        client.post("/ingests", content="[" * 200_000, headers=headers),
        client.post("/ingests", content=b"\xff", headers=headers),
        client.post("/ingests", content=b'{"space": {"id": "\\uD800"}}', headers=headers),
        client.post("/ingests", content=b" " * (1 << 20) + b"{}", headers=headers),
    ]
    malformed = "The request content was malformed:\n"
    only_post = error(405, "Method Not Allowed", "HTTP method not allowed, supported methods: POST")
    assert [answer.json() for answer in answers] == [
        error(404, "Not Found", f"Ingest {unknown} not found"),
        only_post,
        error(405, "Method Not Allowed", "HTTP method not allowed, supported methods: GET, POST"),
        error(404, "Not Found", "The requested resource could not be found."),
        error(
            415,
            "Unsupported Media Type",
            "The request's Content-Type [text/plain; charset=UTF-8] is not supported. Expected:\napplication/json",
        ),
        error(400, "Bad Request", f"{malformed}expected json value got 'hgjh' (line 1, column 1)"),
        error(400, "Bad Request", f"{malformed}expected json value got '}}' (line 1, column 7)"),
        error(400, "Bad Request", f"{malformed}expected json value got eof (line 1, column 1)"),
        error(400, "Bad Request", f"{malformed}the document is nested too deeply"),
        error(400, "Bad Request", f"{malformed}the text is not UTF-8 (byte 1)"),
        error(400, "Bad Request", f"{malformed}a string has half of a surrogate pair"),
        error(413, "Request Entity Too Large", "The request is larger than 1048576 bytes."),
    ]
    assert [answer.headers.get("allow") for answer in answers[1:3]] == ["POST", "GET, POST"]


def test_addresses_begin_with_the_public_address_where_there_is_one(engine: Engine) -> None:
    with serving(an_app(engine, public_url="https://api.example.org/storage/v1")) as client:
        a_bag(engine)
        address = client.post("/ingests/anything", json=wish()).headers["location"]
    assert re.fullmatch(r"https://api\.example\.org/storage/v1/ingests/[0-9a-f-]{36}", address)


def test_an_unexpected_error_tells_nothing_of_our_insides(database: str) -> None:
    engine = open_engine(database, name="test")
    with serving(an_app(engine)) as client:
        a_bag(engine)
        with transaction(engine) as connection:
            connection.exec_driver_sql("DROP TABLE ingest_events CASCADE")
        answer = client.post("/ingests", json=wish())
    assert (answer.status_code, answer.json(), rows(engine, ingests)) == (
        500,
        {"errorType": "http", "httpStatus": 500, "label": "Internal Server Error", "type": "Error"},
        [],
    )
    engine.dispose()


def test_the_process_is_alive_and_ready(client: httpx.Client) -> None:
    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/openapi.json")] == [200, 200, 200]
    assert client.get("/management/healthcheck").text == "ok"
