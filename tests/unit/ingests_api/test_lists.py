"""Lists of ingests over HTTP: filters, and pages that are stable whatever is added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, text

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus
from common.ledger import listing
from common.ledger.engine import transaction
from common.ledger.listing import Wanted
from common.ledger.locations import announce
from common.ledger.tables import ingests
from unit.bag_register.ledgers import emptied
from unit.ingests_api.builders import LOCATIONS, a_bag, fail, wish

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def ids(client: httpx.Client, **params: Any) -> list[str]:
    return [one["id"] for one in client.get("/ingests", params=params).raise_for_status().json()["results"]]


def begun(client: httpx.Client, engine: Engine, space: str, identifier: str, to: str = "azure") -> str:
    a_bag(engine, BagVersion.of(space, identifier, 1))
    return str(client.post("/ingests", json=wish(identifier, space=space, to=to)).raise_for_status().json()["id"])


def test_a_line_of_a_list_is_an_ingest_without_its_history(client: httpx.Client, engine: Engine) -> None:
    ingest_id = begun(client, engine, "digitised", "PP/MIA 1")
    fail(engine, ingest_id)
    whole = client.get(f"/ingests/{ingest_id}").json()

    listed = client.get("/ingests").json()

    del whole["events"], whole["progress"], whole["error"]["description"]
    assert listed == {"type": "IngestList", "results": [whole]}


def test_ingests_are_found_by_what_they_are(client: httpx.Client, engine: Engine) -> None:
    first = begun(client, engine, "digitised", "b1")
    second = begun(client, engine, "digitised", "b2", to="spare")
    third = begun(client, engine, "born-digital", "b1")
    fail(engine, second)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE replicas SET stalled_at = now() WHERE ingest_id = :id"), {"id": UUID(third)})

    assert ids(client) == [third, second, first]
    assert ids(client, sort="createdDate") == [first, second, third]
    assert ids(client, bag="b1") == [third, first]
    assert ids(client, bag="b1", space="digitised") == [first]
    assert ids(client, space="born-digital") == [third]
    assert ids(client, status="failed") == ids(client, code="source_vanished") == [second]
    assert ids(client, status="accepted", destination="azure") == [third, first]
    assert ids(client, destination="spare") == [second]
    assert ids(client, status="stalled") == [third]
    assert ids(client, status="succeeded") == ids(client, bag="nobody's") == ids(client, code="x") == []


def test_ingests_are_found_by_their_date(client: httpx.Client, engine: Engine) -> None:
    first, second = begun(client, engine, "digitised", "b1"), begun(client, engine, "digitised", "b2")
    date = client.get(f"/ingests/{first}").json()["createdDate"]

    assert ids(client, createdAfter=date) == [second]
    assert ids(client, createdBefore=date) == []
    assert ids(client, createdAfter="2020-01-01") == [second, first]


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "createdAfter=yesterday",
        "sort=size",
        "after=x",
        "after=W10",
        "limit=0",
        "limit=1001",
        "bag=a%00b",
    ],
)
def test_what_is_not_understood_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/ingests?{query}")

    assert answer.status_code == 400
    assert f"?{query.split('=')[0]}" in answer.json()["description"]


@pytest.fixture(scope="module")
def bag_id(ledger: Engine) -> Callable[[], int]:
    """A bag in an emptied ledger, again for every example."""

    def fresh() -> int:
        emptied(ledger)
        with transaction(ledger) as connection:
            for location in LOCATIONS:
                announce(connection, location)
        return a_bag(ledger)

    return fresh


def add(engine: Engine, bag_id: int, seconds: int, status: str) -> UUID:
    ingest_id = uuid4()
    with transaction(engine) as connection:
        connection.execute(
            insert(ingests).values(
                id=ingest_id, ingest_type="backfill", space="digitised", external_identifier="b1", version=1,
                bag_version_id=bag_id, source_id="cold", destination_id="azure", status=status,
                created_at=BEGINNING + timedelta(seconds=seconds), finished_at=BEGINNING,
                error_code="cancelled" if status == "failed" else None,
            )
        )  # fmt: skip
    return ingest_id


ENDED = st.sampled_from(["succeeded", "failed"])
ROWS = st.lists(st.tuples(st.integers(0, 5), ENDED), max_size=14)
"""Dates from a few seconds only, so that many are equal."""


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=ROWS,
    meanwhile=ROWS,
    size=st.integers(1, 5),
    status=st.none() | ENDED,
    oldest_first=st.booleans(),
)
def test_from_page_to_page_every_ingest_is_seen_once_whatever_is_added_meanwhile(
    ledger: Engine,
    bag_id: Callable[[], int],
    before: list[tuple[int, str]],
    meanwhile: list[tuple[int, str]],
    size: int,
    status: str | None,
    oldest_first: bool,
) -> None:
    bag, coming = bag_id(), list(meanwhile)
    there = {add(ledger, bag, *row): row for row in before}
    wanted = Wanted(status=IngestStatus(status) if status else None)
    seen: list[listing.Place] = []
    while True:
        with transaction(ledger) as connection:
            behind = seen[-1] if seen else None
            page = listing.page(connection, wanted, behind=behind, limit=size, oldest_first=oldest_first)
        seen += [one.place for one in page]
        if len(page) < size:
            break
        if coming:
            add(ledger, bag, *coming.pop())

    assert seen == sorted(seen, reverse=not oldest_first)
    found = [ingest_id for _, ingest_id in seen]
    assert len(set(found)) == len(found)
    assert {one for one, row in there.items() if status in (None, row[1])} <= set(found)


def test_pages_over_http_lead_from_one_to_the_next(client: httpx.Client, engine: Engine) -> None:
    all_of_them = [begun(client, engine, "digitised", f"b{number}") for number in range(5)][::-1]
    found: list[str] = []
    params: dict[str, Any] | None = {"limit": 2}
    while params:
        page = client.get("/ingests", params=params).json()
        found += [one["id"] for one in page["results"]]
        params = {"limit": 2, "after": page["next"]} if "next" in page else None

    assert found == all_of_them
