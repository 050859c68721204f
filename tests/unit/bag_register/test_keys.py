"""Whatever creates something does it once for a key."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from common.domain.bag import BagVersion
from common.ledger.access_tables import actions
from unit.bag_register.builders import Register, a_bag

KEY = {"Idempotency-Key": "order-66"}
COPY = {
    "space": {"id": "space"},
    "bag": {"info": {"externalIdentifier": "b1", "version": "v1"}},
    "location": {"id": "cold"},
}
POLICY = {"location": {"id": "cold"}, "everyDays": 90}
CREATING: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "POST /imports": (202, {"location": {"id": "cold"}}, {"location": {"id": "cold"}, "prefix": "b"}),
    "POST /checks": (202, COPY, COPY | {"location": {"id": "azure"}}),
    "POST /fixity/policies": (201, POLICY, POLICY | {"everyDays": 30}),
}
"""Of each route its status, a request, and another."""


@pytest.mark.parametrize("operation", CREATING)
def test_it_is_created_once_for_a_key(register: Register, client: httpx.Client, operation: str) -> None:
    status, wanted, other = CREATING[operation]
    address = operation.removeprefix("POST ")
    register.put(BagVersion.of("space", "b1", 1), a_bag({"a.txt": b"a"}))
    register.adopt()
    before = len(register.rows(actions))

    first, again, else_ = (client.post(address, json=body, headers=KEY) for body in (wanted, wanted, other))

    assert (first.status_code, "idempotent-replayed" in first.headers) == (status, False)
    replayed = {**first.headers, "idempotent-replayed": "true", "date": again.headers["date"]}
    assert (again.status_code, again.content, dict(again.headers)) == (status, first.content, replayed)
    assert (else_.status_code, "used for another request" in else_.json()["description"]) == (422, True)
    assert len(register.rows(actions)) == before + 1


def test_every_route_that_takes_a_key_is_tried_here(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    taking = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "Idempotency-Key" in [each["name"] for each in operation.get("parameters", [])]
    }
    assert taking == CREATING.keys()
