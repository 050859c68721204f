"""The OpenAPI documents are whole: examples everywhere, true to their schemas, and nothing is taken from clients."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
from breaking import breaking_changes  # noqa: E402

DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "docs/reference/openapi").glob("*.json"))
}
OPERATIONS = [
    pytest.param(service, operation, id=f"{service} {method.upper()} {path}")
    for service, document in DOCUMENTS.items()
    for path, operations in document["paths"].items()
    for method, operation in operations.items()
]


def media(service: str, operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where documents are sent or answered, and what stands there."""
    yield from (("request", each) for each in operation.get("requestBody", {}).get("content", {}).values())
    for status, answer in operation["responses"].items():
        shared = DOCUMENTS[service]["components"]["responses"]
        found = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        yield from ((status, each) for each in found.get("content", {}).values())


def test_both_services_have_a_document_of_openapi_3_1() -> None:
    assert {name: document["openapi"] for name, document in DOCUMENTS.items()} == {
        "bag_register": "3.1.0",
        "ingests_api": "3.1.0",
    }


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_route_has_examples_of_what_is_sent_and_answered(service: str, operation: dict[str, Any]) -> None:
    places = [each for each in operation.get("parameters", []) if each["in"] == "path"]
    answered = [status for status, _ in media(service, operation) if status.startswith("2")]

    assert operation["summary"]
    assert [each["name"] for each in places if "example" not in each] == []
    assert [where for where, each in media(service, operation) if each.get("example") is None] == []
    assert answered or "204" in operation["responses"]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_examples_are_what_their_schemas_say(service: str, operation: dict[str, Any]) -> None:
    components = {"components": DOCUMENTS[service]["components"]}
    faults = [
        f"{where}: {fault.message} at {'/'.join(map(str, fault.instance_path))}"
        for where, each in media(service, operation)
        for fault in jsonschema_rs.Draft202012Validator(components | each["schema"]).iter_errors(each["example"])
    ]

    assert faults == []


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def remove(document: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            document = document[name]
        del document[last]

    return remove


def must_send_more(document: dict[str, Any]) -> None:
    content = document["paths"]["/ingests"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"]["required"].append("destination")


def must_ask_more(document: dict[str, Any]) -> None:
    document["paths"]["/ingests"]["get"]["parameters"][0]["required"] = True


def takes_less(document: dict[str, Any]) -> None:
    content = document["paths"]["/ingests"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"]["properties"]["ingestType"]["properties"]["id"]["enum"].remove("backfill")


def promises_less(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Ingest"]["required"].remove("events")


BREAKING: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (without("paths", "/requirements/{requirement_id}"), "DELETE /requirements/{requirement_id} is gone"),
    (without("paths", "/backfills", "get"), "GET /backfills is gone"),
    (
        without("paths", "/ingests", "post", "responses", "200"),
        "POST /ingests: it does not answer 200 any more",
    ),
    (
        without("components", "schemas", "IngestSummary", "properties", "error", "properties", "code"),
        "GET /ingests: 200 .results[].error.code is gone",
    ),
    (must_send_more, "POST /ingests: the request's .destination must be sent now"),
    (takes_less, "POST /ingests: the request's .ingestType.id may not be backfill any more"),
    (must_ask_more, "GET /ingests: the parameter query bag must be sent now"),
    (promises_less, "GET /ingests/{ingest_id}: 200 .events may be missing now"),
]


@pytest.mark.parametrize(("change", "told"), BREAKING, ids=[told for _, told in BREAKING])
def test_what_breaks_clients_is_told(change: Callable[[dict[str, Any]], None], told: str) -> None:
    after = copy.deepcopy(DOCUMENTS["ingests_api"])
    change(after)

    assert told in breaking_changes(DOCUMENTS["ingests_api"], after)


def test_what_is_added_breaks_nobody() -> None:
    before = copy.deepcopy(DOCUMENTS["ingests_api"])
    del before["paths"]["/clients"]
    del before["components"]["schemas"]["Ingest"]["properties"]["overdue"]
    del before["paths"]["/ingests"]["get"]["responses"]["429"]

    assert breaking_changes(before, DOCUMENTS["ingests_api"]) == []
