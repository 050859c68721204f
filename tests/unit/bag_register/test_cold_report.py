"""The report of storage classes over HTTP, and where what it says comes from."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from common.domain.bag import BagVersion
from unit.bag_register.builders import Register, a_bag
from unit.bag_register.test_reports import a_register_with_every_state
from unit.bag_register.test_sources import csv_inventory, from_inventory

FROZEN = BagVersion.of("digitised", "b1", 1)
WARM = BagVersion.of("maps", "m1", 1)
COUNTS = ("bagVersions", "files", "bytes")


def lines(client: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    found = client.get("/reports/cold", params=asked).raise_for_status().json()
    results: list[dict[str, Any]] = found["results"]
    return results


def brief(client: httpx.Client, **asked: str) -> list[tuple[Any, ...]]:
    """Location, space where it is told, class, and counts."""
    names = ("location", "space", "storageClass", *COUNTS)
    return [tuple(line[name] for name in names if name in line) for line in lines(client, **asked)]


def two_bags(register: Register) -> None:
    register.put(FROZEN, a_bag({"a": b"aa", "b": b"bbb"}), cold=True)
    register.put(WARM, a_bag({"c": b"c"}, identifier="m1"))


def tag_bytes(*bags: dict[str, bytes]) -> int:
    return sum(len(body) for bag in bags for path, body in bag.items() if not path.startswith("data/"))


def test_an_import_tells_in_which_classes_everything_lies(register: Register, client: httpx.Client) -> None:
    two_bags(register)
    register.adopt()
    tags = tag_bytes(a_bag({"a": b"aa", "b": b"bbb"}), a_bag({"c": b"c"}, identifier="m1"))
    today = datetime.now(UTC).date().isoformat()
    nothing = {"files": 0, "bytes": 0}

    assert lines(client) == [
        {
            "location": "cold",
            "storageClass": name,
            "archived": archived,
            **dict(zip(COUNTS, counts, strict=True)),
            "restoring": nothing,
            "restored": nothing,
            "seenFrom": today,
            "seenTo": today,
            "type": "StorageClassAmount",
        }
        for name, archived, counts in (("DEEP_ARCHIVE", True, (1, 2, 5)), ("STANDARD", False, (2, 9, tags + 1)))
    ]


def test_it_is_told_for_each_space_and_for_one_alone(register: Register, client: httpx.Client) -> None:
    two_bags(register)
    register.adopt()

    assert [line[:4] for line in brief(client, by="space")] == [
        ("cold", "digitised", "DEEP_ARCHIVE", 1),
        ("cold", "digitised", "STANDARD", 1),
        ("cold", "maps", "STANDARD", 1),
    ]
    assert [line[:3] for line in brief(client, space="maps")] == [("cold", "STANDARD", 1)]
    assert brief(client, location="azure") == []


def test_copies_that_nobody_listed_are_unknown_and_no_class_is_guessed(
    register: Register, client: httpx.Client
) -> None:
    a_register_with_every_state(register)
    (line,) = lines(client)

    assert (line["location"], line["storageClass"], "seenFrom" in line) == ("azure", "unknown", False)


def test_importing_again_tells_where_objects_have_moved(register: Register, client: httpx.Client) -> None:
    register.put(FROZEN, a_bag({"a": b"aa"}))
    register.adopt()
    register.put(FROZEN, a_bag({"a": b"aa"}), cold=True)
    register.adopt()

    assert [line[:3] for line in brief(client)] == [("cold", "DEEP_ARCHIVE", 1), ("cold", "STANDARD", 1)]


def test_a_look_that_registers_nothing_tells_nothing(register: Register, client: httpx.Client) -> None:
    two_bags(register)
    register.adopt(registers=False)

    assert lines(client) == []


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("Bucket, Key, Size, ETag", [("unknown", None)]),
        ("Bucket, Key, Size, ETag, StorageClass", [("DEEP_ARCHIVE", "2026-01-31"), ("STANDARD", "2026-01-31")]),
    ],
)
def test_an_inventory_tells_classes_where_it_has_the_column_as_of_its_own_day(
    register: Register, client: httpx.Client, schema: str, told: list[tuple[str, str | None]]
) -> None:
    two_bags(register)
    csv_inventory(register, schema=schema)
    register.adopt(source=from_inventory())

    assert [(line["storageClass"], line.get("seenFrom")) for line in lines(client)] == told


def test_as_csv_and_as_ndjson_it_says_the_same(register: Register, client: httpx.Client) -> None:
    two_bags(register)
    register.adopt()
    whole = lines(client)
    table = list(csv.DictReader(io.StringIO(client.get("/reports/cold?format=csv").text)))
    ndjson = [json.loads(line) for line in client.get("/reports/cold?format=ndjson").text.splitlines()]

    assert ndjson == whole
    assert [(row["storage_class"], row["files"], row["archived"], row["space"]) for row in table] == [
        (line["storageClass"], str(line["files"]), str(line["archived"]).lower(), "") for line in whole
    ]


def test_a_location_that_there_is_not_is_refused_with_those_that_there_are(client: httpx.Client) -> None:
    answer = client.get("/reports/cold?location=cloud")

    assert answer.status_code == 400
    assert answer.json()["description"] == ('Invalid value at ?location: got "cloud", valid values are: azure, cold.')
