"""Policies of fixity and their reports over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bag_register.fixity import keep_fixity
from common.domain.bag import BagVersion
from common.ledger.access_tables import actions
from unit.bag_register.builders import Register, a_bag

POLICY: dict[str, Any] = {"location": {"id": "cold"}, "everyDays": 90, "bytesPerSecond": 1000}


def test_a_policy_is_stated_changed_and_taken_back(register: Register, client: httpx.Client) -> None:
    first = client.post("/fixity/policies", json=POLICY)
    second = client.post("/fixity/policies", json=POLICY | {"everyDays": 30, "atOnce": 2})
    listed = client.get("/fixity/policies").json()["results"]
    gone = [client.delete(f"/fixity/policies/{first.json()['id']}").status_code for _ in range(2)]

    assert first.status_code == 201
    assert listed == [second.json()]
    assert (second.json()["id"], second.json()["everyDays"], second.json()["atOnce"]) == (first.json()["id"], 30, 2)
    assert gone == [204, 404]
    said = [row["what"] for row in register.rows(actions)]
    assert said == ["fixity policy stated", "fixity policy stated", "fixity policy taken back"]


@pytest.mark.parametrize(
    "change",
    [{"location": {"id": "nowhere"}}, {"everyDays": 0}, {"everyDays": "90"}, {"space": {"id": "a/b"}}, {"more": 1}],
)
def test_what_is_no_policy_is_refused(client: httpx.Client, change: dict[str, Any]) -> None:
    assert client.post("/fixity/policies", json=POLICY | change).status_code == 400


def test_the_report_counts_copies_and_pages_through_them(register: Register, client: httpx.Client) -> None:
    for number in range(3):
        register.put(BagVersion.of("space", f"b{number}", 1), a_bag({"a": b"a"}, identifier=f"b{number}"))
    register.adopt()
    client.post("/fixity/policies", json=POLICY)
    keep_fixity(register.engine)

    report = client.get("/reports/fixity").json()
    first = client.get("/reports/fixity/copies", params={"standing": "all", "limit": 2}).json()
    rest = client.get("/reports/fixity/copies", params={"standing": "all", "after": first["next"]}).json()

    assert report["results"][0]["copies"] == {"all": 3, "due": 0, "overdue": 0, "running": 0}
    names = [copy["externalIdentifier"] for page in (first, rest) for copy in page["results"]]
    assert names == ["b0", "b1", "b2"]
    assert "next" not in rest
    assert client.get("/reports/fixity/copies").json()["results"] == []
    assert client.get("/reports/fixity/copies", params={"after": "x"}).status_code == 400
