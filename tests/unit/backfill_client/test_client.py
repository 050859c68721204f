"""The typed client against both live APIs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from backfill_client import ApiRefused, ApiUnreachable, BackfillClient, NotFound
from unit.backfill_client.deployment import Deployment
from unit.ingests_api.builders import fail


def test_a_backfill_is_created_and_read(deployment: Deployment, client: BackfillClient) -> None:
    deployment.bag("PP/MIA 1")
    created = client.create_backfill("digitised", "PP/MIA 1", destination="azure", tier="Bulk", restored_days=5)
    again = client.create_backfill("digitised", "PP/MIA 1")
    assert (created.name, created.status, created.options) == (
        "digitised/PP/MIA 1/v1",
        "accepted",
        {"tier": "Bulk", "restoredDays": 5},
    )
    assert client.get_ingest(created.id) == created == again


def test_watching_ends_when_the_ingest_has_finished(deployment: Deployment) -> None:
    deployment.bag()
    seen = []
    with BackfillClient(deployment.api) as client:
        for ingest in client.watch_ingest(client.create_backfill("digitised", "b1").id):
            seen.append((ingest.status, ingest.error.code if ingest.error else None))
            if len(seen) == 1:
                fail(deployment.register.engine, ingest.id)
    assert seen == [("accepted", None), ("failed", "source_vanished")]


def test_a_bag_and_its_versions_are_read(deployment: Deployment, client: BackfillClient) -> None:
    deployment.bag("b1", 1, 2)
    bag = client.get_bag("digitised", "b1", version="v1")
    assert (bag.id, bag.version, bag.location.id, [file.name for file in bag.manifest.files]) == (
        "digitised/b1",
        "v1",
        "cold",
        ["data/a.txt"],
    )
    assert [one.version for one in client.get_versions("digitised", "b1")] == ["v2", "v1"]
    assert [one.version for one in client.get_versions("digitised", "b1", before="v2")] == ["v1"]


def test_what_is_missing_comes_page_after_page(deployment: Deployment, client: BackfillClient) -> None:
    deployment.bag("b1", *range(1, 6))
    first = client.reports.unbackfilled_page("azure", limit=2)
    second = client.reports.unbackfilled_page("azure", limit=2, after=first.next)
    assert [bag.version for bag in (*first.results, *second.results)] == ["v1", "v2", "v3", "v4"]
    assert (first.totals.missing, [bag.version for bag in client.reports.unbackfilled("azure")]) == (
        5,
        ["v1", "v2", "v3", "v4", "v5"],
    )


def test_imports_and_locations_are_read(deployment: Deployment, client: BackfillClient) -> None:
    started = client.start_import("cold", prefix="digitised/")
    found = client.get_import(started.id)
    assert (started.state, found.model_copy(update={"thawing": None})) == ("walking", started)
    assert found.thawing is not None
    assert found.thawing.actual.restores == []
    assert list(client.import_problems(started.id)) == []
    assert [location.id for location in client.get_locations()] == ["azure", "cold"]


def test_a_refusal_carries_label_and_description(client: BackfillClient) -> None:
    with pytest.raises(NotFound) as missing:
        client.get_bag("digitised", "b9")
    with pytest.raises(ApiRefused) as refused:
        client.create_backfill("a/b", "b1")
    assert [(e.value.status, e.value.label, e.value.description) for e in (missing, refused)] == [
        (404, "Not Found", "Storage manifest digitised/b9 not found"),
        (400, "Bad Request", "Invalid value at .space.id: must not contain slashes."),
    ]


@contextmanager
def a_server(*statuses: int) -> Iterator[tuple[str, list[str]]]:
    """Answers with each status in turn, the last for ever; tells the methods it was asked with."""
    asked: list[str] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.command)
            status = left.pop(0) if len(left) > 1 else left[0]
            body = json.dumps({"type": "ResultList", "results": []}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_reading_is_tried_again_as_the_server_asks() -> None:
    pauses: list[float] = []
    with a_server(503, 429, 200) as (address, asked), BackfillClient(address, sleep=pauses.append) as client:
        assert client.get_locations() == []
    assert (asked, pauses) == (["GET"] * 3, [0.25, 7.0])


def test_a_request_without_a_key_that_was_one_of_too_many_is_sent_again_as_the_server_asks() -> None:
    """It was refused before it began."""
    pauses: list[float] = []
    with (
        a_server(429, 503) as (address, asked),
        BackfillClient(address, sleep=pauses.append) as client,
        pytest.raises(ApiUnreachable),
    ):
        client.create_client("cron", scopes=["bags:read"])
    assert (asked, pauses) == (["POST"] * 2, [7.0])


def test_a_request_with_a_key_is_sent_again_where_its_answer_is_lost() -> None:
    pauses: list[float] = []
    with (
        a_server(503, 503, 503, 503) as (address, asked),
        BackfillClient(address, sleep=pauses.append) as client,
        pytest.raises(ApiUnreachable),
    ):
        client.start_import("cold")
    assert (asked, pauses) == (["POST"] * 4, [0.25, 0.5, 1.0])


def test_a_request_without_a_key_is_sent_once() -> None:
    with a_server(503) as (address, asked), BackfillClient(address) as client, pytest.raises(ApiUnreachable):
        client.create_client("cron", scopes=["bags:read"])
    assert asked == ["POST"]


def test_a_server_that_is_not_there_is_told_after_four_tries() -> None:
    pauses: list[float] = []
    refused = pytest.raises(ApiUnreachable, match=r"http://127\.0\.0\.1:1 cannot be reached")
    with BackfillClient("http://127.0.0.1:1", sleep=pauses.append) as client, refused:
        client.get_locations()
    assert pauses == [0.25, 0.5, 1.0]
