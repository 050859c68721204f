"""What the aggregator reads in the ledger."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Engine, insert

from common.ledger.engine import transaction
from common.ledger.tables import evidence
from replica_aggregator.records import LedgerRecords
from replica_aggregator.tally import VerifiedObject
from unit.common.ledger.builders import Backfill, a_backfill, some_segments


def proven(engine: Engine, backfill: Backfill, segment: int, key: str, **facts: object) -> None:
    values = {
        "bag_version_id": backfill.bag_version_id,
        "location_id": "azure",
        "ingest_id": backfill.ingest_id,
        "segment_id": segment,
        "path": key.partition("/")[2],
        "key": key,
        "outcome": "match",
        "evidence_class": "E3",
        "expected": {},
        "measured": {},
        "bytes": 3,
        "etag": "e",
        "started_at": "2026-01-05",
        "microseconds": 1,
        "worker": "w",
        "build": "b",
        "attempt": 1,
    }
    with transaction(engine) as connection:
        connection.execute(insert(evidence).values(values | facts))


def test_only_matches_that_were_read_back_for_this_ingest_count_and_each_file_once(engine: Engine) -> None:
    backfill, other = a_backfill(engine), a_backfill(engine)
    (segment,), (another,) = (some_segments(engine, b, states=["verified"]) for b in (backfill, other))
    proven(engine, backfill, segment, "v1/a")
    proven(engine, backfill, segment, "v1/a", attempt=2)
    proven(engine, backfill, segment, "v1/b", outcome="mismatch")
    proven(engine, backfill, segment, "v1/c", evidence_class="E2")
    proven(engine, other, another, "v1/d")
    ledger = LedgerRecords(engine)

    assert (ledger.planned(backfill.ingest_id), ledger.verified(backfill.ingest_id)) == (1, 1)
    assert list(ledger.objects(backfill.ingest_id, below="v1/")) == [VerifiedObject("v1/a", 3, "e")]


def test_an_ingest_that_nobody_planned_has_nothing(engine: Engine) -> None:
    assert (LedgerRecords(engine).planned(uuid4()), LedgerRecords(engine).verified(uuid4())) == (0, 0)


def test_objects_come_in_utf8_byte_order_below_the_prefix_with_what_the_last_read_saw(
    engine: Engine,
) -> None:
    backfill = a_backfill(engine)
    (segment,) = some_segments(engine, backfill, states=["verified"])
    keys = ["v1/a", "v1/Z", "v1/é", "v1/\uffff", "v1/\U0001f4be", "v1/a%b", "v1/a_b", "v1/a b"]
    for key in [*keys, "v10/a", "v2/a", "v1"]:
        proven(engine, backfill, segment, key)
    proven(engine, backfill, segment, "v1/a", etag="later", bytes=4)

    found = list(LedgerRecords(engine, batch=2).objects(backfill.ingest_id, below="v1/"))

    assert [item.key for item in found] == sorted(keys, key=str.encode)
    assert found[sorted(keys, key=str.encode).index("v1/a")] == VerifiedObject("v1/a", 4, "later")
