"""Whatever creates something does it once for a key."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from common.ledger.access_tables import actions
from unit.ingests_api.builders import a_bag, fail, rows, wish

KEY = {"Idempotency-Key": "order-66"}
INGEST = "11111111-2222-4333-8444-555555555555"
CREATING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "POST /ingests": ("/ingests", wish(), wish(to="spare")),
    "POST /ingests/{ingest_id}/retry": (f"/ingests/{INGEST}/retry", {"reason": "again"}, {"reason": "and again"}),
    "POST /requirements": ("/requirements", {"location": {"id": "azure"}}, {"location": {"id": "spare"}}),
    "POST /backfills": (
        "/backfills",
        {"destination": {"id": "azure"}, "selection": {"missing": {}}},
        {"destination": {"id": "spare"}, "selection": {"missing": {}}},
    ),
}
"""Of each route its address, a request, and another."""


@pytest.mark.parametrize("operation", CREATING)
def test_it_is_created_once_for_a_key(client: httpx.Client, engine: Engine, operation: str) -> None:
    address, wanted, other = CREATING[operation]
    a_bag(engine)
    if INGEST in address:
        failed = client.post("/ingests", json=wish()).json()["id"]
        fail(engine, failed)
        address = address.replace(INGEST, failed)
    before = len(rows(engine, actions))

    first, again, else_ = (client.post(address, json=body, headers=KEY) for body in (wanted, wanted, other))

    assert (first.status_code, "idempotent-replayed" in first.headers) == (201, False)
    replayed = {**first.headers, "idempotent-replayed": "true", "date": again.headers["date"]}
    assert (again.status_code, again.content, dict(again.headers)) == (201, first.content, replayed)
    assert (else_.status_code, "used for another request" in else_.json()["description"]) == (422, True)
    assert len(rows(engine, actions)) == before + 1


def test_every_route_that_takes_a_key_is_tried_here(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    taking = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "Idempotency-Key" in [each["name"] for each in operation.get("parameters", [])]
    }
    assert taking == CREATING.keys()
