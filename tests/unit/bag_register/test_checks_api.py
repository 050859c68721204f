"""Checks and the chain of evidence over HTTP."""

from __future__ import annotations

import httpx
import pytest

from common.domain.bag import BagVersion
from common.ledger.access_tables import actions
from common.ledger.tables import outbox
from unit.bag_register.builders import Register, a_bag

BAG = BagVersion.of("space", "b1", 1)
COPY = {
    "space": {"id": "space"},
    "bag": {"info": {"externalIdentifier": "b1", "version": "v1"}},
    "location": {"id": "cold"},
}


def test_a_check_is_asked_for_and_told(register: Register, client: httpx.Client) -> None:
    register.put(BAG, a_bag({"a.txt": b"a"}))
    register.adopt()

    asked = client.post("/checks", json=COPY)
    again = client.post("/checks", json=COPY | {"bag": {"info": {"externalIdentifier": "b1"}}})
    told = client.get(asked.headers["Location"])

    assert (asked.status_code, again.json()["id"]) == (202, asked.json()["id"])
    assert told.json() == {
        "id": asked.json()["id"],
        "type": "Check",
        "space": {"id": "space", "type": "Space"},
        "bag": {"info": {"externalIdentifier": "b1", "version": "v1", "type": "BagInfo"}, "type": "Bag"},
        "location": {"id": "cold", "type": "Location"},
        "state": "rereading",
        "counts": {"files": 0, "bytes": 0, "bad": 0, "unread": 0},
        "askedBy": told.json()["askedBy"],
        "createdDate": told.json()["createdDate"],
    }
    hints = [row["queue"] for row in register.rows(outbox) if "CheckRequested" in row["body"]]
    assert hints == ["verifier_rereading_backfill"]
    assert [row["what"] for row in register.rows(actions)] == ["check requested"]


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"location": {"id": "azure"}}, 404, "space/b1/v1 is not registered at azure: there is no copy to read."),
        ({"bag": {"info": {"externalIdentifier": "b2"}}}, 404, "Storage manifest space/b2 not found"),
        ({"location": {}}, 400, ".location.id"),
        ({"bag": {"info": {"externalIdentifier": "b1", "version": "1"}}}, 400, "version string: 1"),
    ],
)
def test_what_cannot_be_read_is_refused(
    register: Register, client: httpx.Client, change: dict[str, object], status: int, told: str
) -> None:
    register.put(BAG, a_bag({"a.txt": b"a"}))
    register.adopt()

    answer = client.post("/checks", json=COPY | change)

    assert answer.status_code == status
    assert told in answer.json()["description"]


def test_a_check_that_nobody_asked_for_is_not_there(client: httpx.Client) -> None:
    assert [client.get(f"/checks/{name}").status_code for name in ("1", "x")] == [404, 404]


def test_a_checkpoint_can_be_asked_for(client: httpx.Client) -> None:
    before = client.get("/evidence/chain").json()

    after = client.post("/evidence/checkpoints").json()

    assert before == {"type": "EvidenceChain", "sealed": 0, "hash": "00" * 32}
    assert (after["sealed"], after["lastCheckpoint"]["hash"]) == (1, after["hash"])
    assert "writtenDate" in after["lastCheckpoint"]
