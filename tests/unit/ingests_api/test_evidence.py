"""What the verifier found, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import Engine, insert, select

from common.ledger.engine import transaction
from common.ledger.tables import evidence, replicas, segments
from unit.ingests_api.builders import a_bag, wish

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def found(engine: Engine, ingest_id: str, **files: dict[str, Any]) -> None:
    """As the verifier leaves it: one segment with evidence for these files."""
    with transaction(engine) as connection:
        replica = connection.execute(select(replicas).where(replicas.c.ingest_id == UUID(ingest_id))).one()
        segment = connection.execute(
            insert(segments)
            .values(
                replica_id=replica.id,
                ingest_id=UUID(ingest_id),
                number=1,
                state="failed",
                files=[],
                file_count=3,
                bytes=9,
            )
            .returning(segments.c.id)
        ).scalar_one()
        for name, facts in files.items():
            row = {
                "bag_version_id": replica.bag_version_id,
                "location_id": replica.location_id,
                "ingest_id": UUID(ingest_id),
                "segment_id": segment,
                "path": f"data/{name}",
                "key": f"digitised/b1/v1/data/{name}",
                "outcome": "match",
                "evidence_class": "E3",
                "expected": {"sha256": "aa"},
                "measured": {"sha256": "aa"},
                "bytes": 3,
                "started_at": BEGAN,
                "microseconds": 1_500_000,
                "worker": "verifier@a:1",
                "build": "verifier 1",
                "attempt": 2,
            }
            connection.execute(insert(evidence).values(row | facts))


BAD = {"outcome": "mismatch", "measured": {"sha256": "bb"}, "reason": "SHA-256 bb, expected aa", "reads": 3}
DOUBTED = {"reads": 2, "doubts": ["mismatch: SHA-256 bb, expected aa"], "etag": "e", "version_id": "v"}


def test_every_file_s_evidence_can_be_read_in_pages(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    found(engine, ingest_id, a=BAD, b={}, c=DOUBTED)

    first = client.get(f"/ingests/{ingest_id}/evidence", params={"limit": 2}).json()
    second = client.get(f"/ingests/{ingest_id}/evidence", params={"limit": 2, "after": first["next"]}).json()

    assert first["totals"] == {"match": 2, "bad": 1, "doubted": 1}
    assert [item["name"] for item in first["results"] + second["results"]] == ["data/a", "data/b", "data/c"]
    assert "next" not in second
    assert second["results"] == [
        {
            "name": "data/c",
            "path": "digitised/b1/v1/data/c",
            "outcome": "match",
            "evidenceClass": "E3",
            "expected": {"sha256": "aa"},
            "measured": {"sha256": "aa"},
            "size": 3,
            "etag": "e",
            "versionId": "v",
            "reads": 2,
            "doubts": ["mismatch: SHA-256 bb, expected aa"],
            "startedDate": "2026-01-01T00:00:00.000000Z",
            "endedDate": "2026-01-01T00:00:01.500000Z",
            "worker": "verifier@a:1",
            "build": "verifier 1",
            "attempt": 2,
            "type": "FileEvidence",
        }
    ]


def test_the_bad_files_are_told_with_the_ingest_and_by_themselves(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ingest_id = client.post("/ingests", json=wish()).json()["id"]
    found(engine, ingest_id, a=BAD, b={}, c=DOUBTED)

    ingest = client.get(f"/ingests/{ingest_id}").json()
    bad, doubted = (
        client.get(f"/ingests/{ingest_id}/evidence", params={"which": which}).json()["results"]
        for which in ("bad", "doubted")
    )

    assert ingest["verification"] == {
        "bad": 1,
        "doubted": 1,
        "badFiles": [
            {
                "name": "data/a",
                "outcome": "mismatch",
                "expected": {"sha256": "aa"},
                "measured": {"sha256": "bb"},
                "reason": "SHA-256 bb, expected aa",
                "type": "BadFile",
            }
        ],
        "type": "Verification",
    }
    assert ([item["name"] for item in bad], [item["name"] for item in doubted]) == (["data/a"], ["data/c"])


def test_there_is_no_evidence_of_an_ingest_that_is_not_there(client: httpx.Client) -> None:
    answers = [client.get(f"/ingests/{name}/evidence") for name in (uuid4(), "x")]

    assert [answer.status_code for answer in answers] == [404, 404]
