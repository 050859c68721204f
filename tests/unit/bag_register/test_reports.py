"""The register's reports over HTTP."""

from __future__ import annotations

import csv
import io
import json
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Connection, insert

from common.ledger.engine import transaction
from common.ledger.requirements.tables import requirements
from common.ledger.tables import bag_locations, bag_versions, ingests, replicas
from unit.bag_register.builders import Register


def a_register_with_every_state(register: Register) -> None:
    """Forty bag versions: registered at azure, missing there, in progress or failed, as it comes."""
    random = Random(7)
    with transaction(register.engine) as connection:
        for number in range(40):
            bag_id = connection.execute(
                insert(bag_versions)
                .values(
                    space=random.choice(["digitised", "born digital"]),
                    external_identifier=f"b/{number // 2}",
                    version=number % 2 + 1,
                    created_date="2026-01-01",
                    info={},
                    checksum_algorithm="sha256",
                    file_count=random.randrange(9),
                    bytes=random.randrange(10**12),
                    pins={},
                    files_key="k",
                    files_sha256="s",
                )
                .returning(bag_versions.c.id)
            ).scalar_one()
            state = random.choice(["registered", None, "planning", "transferring", "failed"])
            if state:
                _wanted(connection, bag_id, state)


def _wanted(connection: Connection, bag_id: int, state: str) -> None:
    ingest_id = connection.execute(
        insert(ingests)
        .values(
            id=uuid4(),
            ingest_type="backfill",
            space="s",
            external_identifier="b",
            version=1,
            bag_version_id=bag_id,
            source_id="cold",
            destination_id="azure",
            status="processing",
        )
        .returning(ingests.c.id)
    ).scalar_one()
    connection.execute(
        insert(replicas).values(
            bag_version_id=bag_id,
            location_id="azure",
            source_id="cold",
            ingest_id=ingest_id,
            lane="backfill",
            state=state,
            error_code="source_vanished" if state == "failed" else None,
        )
    )
    if state == "registered":
        connection.execute(
            insert(bag_locations).values(
                bag_version_id=bag_id, location_id="azure", evidence_class="E3", role="replica"
            )
        )


def brute_force(register: Register) -> list[tuple[str, str, str, str, str, str, str, int, int]]:
    there = {row["bag_version_id"] for row in register.rows(bag_locations) if row["location_id"] == "azure"}
    work = {row["bag_version_id"]: row for row in register.rows(replicas)}
    lines = []
    for bag in register.rows(bag_versions):
        if bag["id"] in there:
            continue
        row = work.get(bag["id"])
        state = "missing" if row is None else "failed" if row["state"] == "failed" else "in progress"
        lines.append(
            (
                bag["space"],
                bag["external_identifier"],
                f"v{bag['version']}",
                state,
                row["state"] if row and state == "in progress" else "",
                row["error_code"] if row and state == "failed" else "",
                str(row["ingest_id"]) if row else "",
                bag["file_count"],
                bag["bytes"],
            )
        )
    return sorted(lines)


COLUMNS = ("space", "externalIdentifier", "version", "state", "stage", "code", "ingestId", "files", "bytes")


def test_the_report_is_what_a_comparison_by_hand_finds(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    expected = brute_force(register)
    found, address = [], "/reports/unbackfilled?location=azure&limit=7"
    page = client.get(address).json()
    while True:
        found += [tuple(line.get(name, "") for name in COLUMNS) for line in page["results"]]
        if "next" not in page:
            break
        page = client.get(address, params={"location": "azure", "limit": 7, "after": page["next"]}).json()
    assert sorted(found) == expected
    states = [line[3] for line in expected]
    assert page["totals"] == {
        "bagVersions": len(expected),
        "files": sum(line[-2] for line in expected),
        "bytes": sum(line[-1] for line in expected),
        "missing": states.count("missing"),
        "inProgress": states.count("in progress"),
        "waitingForThaw": 0,
        "stalled": 0,
        "failed": states.count("failed"),
    }
    assert min(states.count(state) for state in ("missing", "in progress", "failed")) > 0


def test_the_report_as_csv_has_every_line(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    answer = client.get("/reports/unbackfilled?location=azure&format=csv")
    header, *lines = csv.reader(io.StringIO(answer.text))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert header[:3] == ["space", "external_identifier", "version"]
    assert sorted(tuple(line[:-1]) for line in lines) == [
        tuple(str(value) for value in line) for line in brute_force(register)
    ]


def test_what_no_requirement_asks_for_is_not_missing(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    with transaction(register.engine) as connection:
        connection.execute(insert(requirements).values(location_id="azure", space="digitised", created_by="test"))

    def lines(**params: Any) -> list[str]:
        answer = client.get("/reports/unbackfilled", params={"location": "azure", "limit": 1000, **params}).json()
        return [line["space"] for line in answer["results"]]

    asked_for, others = lines(state="missing"), lines(state="not-required")
    assert (set(asked_for), set(others)) == ({"digitised"}, {"born digital"})
    missing = [line for line in brute_force(register) if line[3] == "missing"]
    assert len(asked_for) + len(others) == len(missing)
    assert set(lines(space="digitised", state=["missing", "verified"])) == {"digitised"}


def test_copies_are_listed_with_what_they_rest_on(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    answer = client.get("/reports/unbackfilled?location=azure&state=verified&format=ndjson")
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert {(line["state"], line["evidence"]) for line in found} == {("verified", "E3")}
    assert len(found) == len(register.rows(bag_locations))


def test_an_unknown_state_is_refused_with_those_there_are(client: httpx.Client) -> None:
    answer = client.get("/reports/unbackfilled?location=azure&state=lost")
    assert (answer.status_code, answer.json()["description"]) == (
        400,
        'Invalid value at ?state: got "lost", valid values are: verified, listed, damaged, in progress, '
        "waiting for thaw, stalled, failed, missing, not required.",
    )


def test_the_matrix_counts_every_bag_version_once_at_each_location(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    found = client.get("/reports/coverage").json()
    places = {place["id"]: place["states"] for place in found["locations"]}
    states = [line[3] for line in brute_force(register)]
    assert {state: amount["bagVersions"] for state, amount in places["azure"].items()} == {
        "verified": 40 - len(states),
        "missing": states.count("missing"),
        "inProgress": states.count("in progress"),
        "failed": states.count("failed"),
    }
    for states in places.values():
        assert sum(amount["bagVersions"] for amount in states.values()) == 40
    assert (found["bagVersions"], found["atRisk"], found["health"]) == (40, 40, "AT RISK")
    assert [space["id"] for space in found["spaces"]] == ["born digital", "digitised"]
    alone = client.get("/reports/coverage", params={"space": "digitised"}).json()
    assert alone["spaces"] == found["spaces"][1:]
