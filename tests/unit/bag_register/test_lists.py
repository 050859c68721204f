"""Lists of bags over HTTP."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from common.domain.bag import BagVersion
from unit.bag_register.builders import Register, a_bag
from unit.bag_register.test_api import TIME, add_azure


@pytest.fixture(autouse=True)
def bags(register: Register) -> None:
    """digitised/b1/v1 in both places; digitised/b1/v2, digitised/b2/v1 and x/b1/v1 in one."""
    _put(register, "digitised", "b1", 1)
    add_azure(register)
    for space, identifier, number in (("digitised", "b1", 2), ("digitised", "b2", 1), ("x", "b1", 1)):
        _put(register, space, identifier, number)


def _put(register: Register, space: str, identifier: str, number: int) -> None:
    register.put(BagVersion.of(space, identifier, number), a_bag({"a.txt": b"hello"}, identifier=identifier))
    register.adopt()


def names(document: dict[str, object]) -> list[str]:
    results = document["results"]
    assert isinstance(results, list)
    return [f"{one['space']['id']}/{one['externalIdentifier']}/{one['version']}" for one in results]


def test_bags_are_listed_with_their_places_the_primary_first(client: httpx.Client) -> None:
    document = client.get("/bags").json()
    first = document["results"][0]
    assert names(document) == ["digitised/b1/v1", "digitised/b1/v2", "digitised/b2/v1", "x/b1/v1"]
    assert TIME.fullmatch(first.pop("createdDate"))
    assert first == {
        "type": "BagVersion",
        "space": {"id": "digitised", "type": "Space"},
        "externalIdentifier": "b1",
        "version": "v1",
        "files": 5,
        "bytes": first["bytes"],
        "locations": [
            {"id": place, "evidence": evidence, "type": "Location"}
            for place, evidence in (("cold", "E1"), ("azure", "E3"))
        ],
    }
    assert first["bytes"] > 5


def test_pages_follow_each_other_without_gap(client: httpx.Client) -> None:
    first = client.get("/bags", params={"limit": 3}).json()
    second = client.get("/bags", params={"limit": 3, "after": first["next"]}).json()
    assert (len(first["results"]), names(second), "next" in second) == (3, ["x/b1/v1"], False)


def test_a_list_may_be_of_a_space_or_of_a_location(client: httpx.Client) -> None:
    assert names(client.get("/bags", params={"space": "x"}).json()) == ["x/b1/v1"]
    assert names(client.get("/bags", params={"location": "azure"}).json()) == ["digitised/b1/v1"]


def test_as_csv_there_are_no_pages(client: httpx.Client) -> None:
    answer = client.get("/bags", params={"format": "csv", "limit": 1})
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    columns = ["space", "external_identifier", "version", "created_date", "files", "bytes", "locations"]
    assert rows[0] == [*columns, "evidence", "depends_on"]
    assert [(*row[:3], *row[6:]) for row in rows[1:]] == [
        ("digitised", "b1", "v1", "cold azure", "E1 E3", ""),
        ("digitised", "b1", "v2", "cold", "E1", ""),
        ("digitised", "b2", "v1", "cold", "E1", ""),
        ("x", "b1", "v1", "cold", "E1", ""),
    ]


@pytest.mark.parametrize("wrong", [{"location": "moon"}, {"after": "nonsense"}, {"limit": "0"}])
def test_what_makes_no_sense_is_refused_by_name(client: httpx.Client, wrong: dict[str, str]) -> None:
    answer = client.get("/bags", params=wrong)
    assert (answer.status_code, f"?{next(iter(wrong))}" in answer.json()["description"]) == (400, True)
