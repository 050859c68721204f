"""The register over HTTP."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import insert

from common.domain.bag import BagVersion
from common.ledger.engine import transaction
from common.ledger.tables import bag_locations, bag_versions, imports
from unit.bag_register.builders import Register, a_bag, sha

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def place(register: Register, location: str, bag: BagVersion) -> dict[str, object]:
    known = {id.value: config.location for id, config in register.stores.configs.items()}[location]
    return {
        "id": location,
        "provider": {"id": "memory", "type": "Provider"},
        "bucket": known.bucket,
        "path": known.bag_root(bag),
        "type": "Location",
    }


def entry(name: str, path: str, body: bytes) -> dict[str, object]:
    return {"checksum": sha(body), "name": name, "path": path, "size": len(body), "type": "File"}


def add_azure(register: Register) -> None:
    with transaction(register.engine) as connection:
        for bag in register.rows(bag_versions):
            connection.execute(
                insert(bag_locations).values(
                    bag_version_id=bag["id"], location_id="azure", evidence_class="E3", role="replica"
                )
            )
        connection.execute(bag_versions.update().values(revision=bag_versions.c.revision + 1))


def test_a_storage_manifest_is_the_known_document(register: Register, client: httpx.Client) -> None:
    bag = BagVersion.of("digitised", "PP/MIA 1", 2)
    first = a_bag({"old.txt": b"old"}, identifier="PP/MIA 1")
    register.put(BagVersion.of("digitised", "PP/MIA 1", 1), first)
    cold = place(register, "cold", bag)["bucket"]
    url = f"memory://{cold}/digitised/PP/MIA%201/v1/data/old.txt"
    files = a_bag({"ä b.txt": b"new"}, fetch={"old.txt": (url, b"old")}, identifier="PP/MIA 1")
    register.put(bag, files)
    register.adopt()
    add_azure(register)
    answer = client.get("/bags/digitised/PP/MIA%201")
    document = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert TIME.fullmatch(document.pop("createdDate"))
    tags = sorted(name for name in files if not name.startswith("data/"))
    assert document == {
        "id": "digitised/PP/MIA 1",
        "type": "Bag",
        "version": "v2",
        "dependsOn": ["v1"],
        "space": {"id": "digitised", "type": "Space"},
        "info": {
            "externalIdentifier": "PP/MIA 1",
            "payloadOxum": "6.2",
            "baggingDate": "2019-08-15",
            "type": "BagInfo",
        },
        "manifest": {
            "checksumAlgorithm": "SHA-256",
            "files": [
                entry("data/old.txt", "v1/data/old.txt", b"old"),
                entry("data/ä b.txt", "v2/data/ä b.txt", b"new"),
            ],
            "type": "BagManifest",
        },
        "tagManifest": {
            "checksumAlgorithm": "SHA-256",
            "files": [entry(name, f"v2/{name}", files[name]) for name in tags],
            "type": "BagManifest",
        },
        "location": place(register, "cold", bag) | {"evidence": "E1"},
        "replicaLocations": [place(register, "azure", bag) | {"evidence": "E3"}],
    }


@pytest.mark.parametrize("address", ["PP/MIA/1%20a", "PP%2FMIA%2F1%20a", "PP/MIA/1+a"])
def test_identifiers_may_be_written_in_several_ways(register: Register, client: httpx.Client, address: str) -> None:
    register.put(BagVersion.of("digitised", "PP/MIA/1 a", 1), a_bag({"a": b"a"}, identifier="PP/MIA/1 a"))
    register.adopt()
    assert client.get(f"/bags/digitised/{address}?version=v1").json()["id"] == "digitised/PP/MIA/1 a"
    assert client.get(f"/bags/digitised/{address}/versions").json()["results"][0]["id"] == "digitised/PP/MIA/1 a"


def test_the_entity_tag_changes_when_a_location_is_added(register: Register, client: httpx.Client) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    register.adopt()
    before = client.get("/bags/digitised/b1").headers["etag"]
    unchanged = client.get("/bags/digitised/b1", headers={"If-None-Match": before})
    add_azure(register)
    after = client.get("/bags/digitised/b1", headers={"If-None-Match": before})
    assert (before, unchanged.status_code, after.status_code, after.headers["etag"]) == (
        '"digitised/b1/v1/r1"', 304, 200, '"digitised/b1/v1/r2"'
    )  # fmt: skip


REFUSALS = [
    ("/bags/digitised/b2", 404, "Storage manifest digitised/b2 not found"),
    ("/bags/digitised/b1?version=v3", 404, "Storage manifest digitised/b1 v3 not found"),
    ("/bags/digitised/b1?version=v0", 404, "Storage manifest digitised/b1 v0 not found"),
    ("/bags/digitised/b1?version=latest", 404, "Storage manifest digitised/b1 latest not found"),
    ("/bags/digitised/b1/v1/x", 404, "Storage manifest digitised/b1/v1/x not found"),
    ("/bags/digitised", 404, "The requested resource could not be found."),
    ("/bags/digitised/b2/versions", 404, "No storage manifest versions found for digitised/b2"),
    ("/bags/digitised/b1/versions?before=v1", 404, "No storage manifest versions found for digitised/b1 before v1"),
    ("/bags/digitised/b1/versions?before=xyz", 400, "Cannot parse version string: xyz"),
    ("/imports/7", 404, "Import 7 not found"),
    ("/imports/x", 404, "Import x not found"),
    ("/reports/unbackfilled", 400, "Invalid value at ?location: Missing required field"),
    (
        "/reports/unbackfilled?location=x",
        400,
        'Invalid value at ?location: got "x", valid values are: azure, cold.',
    ),
    (
        "/reports/unbackfilled?location=azure&after=x",
        400,
        'Invalid value at ?after: got "x", must be the "next" of the page before.',
    ),
    (
        "/reports/unbackfilled?location=azure&limit=0",
        400,
        "Invalid value at ?limit: Input should be greater than or equal to 1.",
    ),
]


def test_what_cannot_be_found_is_told_in_the_known_words(register: Register, client: httpx.Client) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    register.adopt()
    answers = [(address, client.get(address)) for address, _, _ in REFUSALS]
    assert [(address, answer.status_code, answer.json()["description"]) for address, answer in answers] == REFUSALS


def test_versions_are_listed_newest_first(register: Register, client: httpx.Client) -> None:
    for number in (1, 2, 10):
        register.put(BagVersion.of("digitised", "b1", number), a_bag({"a": b"a"}))
    register.adopt()
    every, earlier = (client.get(f"/bags/digitised/b1/versions{q}").json() for q in ("", "?before=v10"))
    assert [(one["id"], one["version"], one["type"]) for one in every["results"]] == [
        ("digitised/b1", version, "Bag") for version in ("v10", "v2", "v1")
    ]
    assert (every["type"], [one["version"] for one in earlier["results"]]) == ("ResultList", ["v2", "v1"])


def test_locations_are_public_without_secrets(register: Register, client: httpx.Client) -> None:
    azure, cold = client.get("/locations").json()["results"]
    assert (azure, cold["id"]) == (
        {
            "id": "azure",
            "title": "azure",
            "provider": {"id": "memory", "type": "Provider"},
            "bucket": place(register, "azure", BagVersion.of("a", "b", 1))["bucket"],
            "prefix": "bags/",
            "type": "Location",
        },
        "cold",
    )


def test_an_import_is_asked_for_and_followed(register: Register, client: httpx.Client) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    register.put(BagVersion.of("digitised", "b2", 1), a_bag({"a": b"a"}))
    asked = client.post("/imports", json={"location": {"id": "cold"}, "prefix": ""})
    assert (asked.status_code, asked.json()["state"]) == (202, "walking")
    register.work(int(asked.json()["id"]))
    document = client.get(asked.headers["location"]).json()
    assert (document["state"], document["counts"]) == ("finished", {"registered": 1, "known": 0, "refused": 1})
    (problem,) = document["problems"]
    assert (problem["bag"], problem["code"], problem["severity"]) == ("digitised/b2/v1", "identifier_differs", "error")


def test_problems_come_in_pages(register: Register, client: httpx.Client) -> None:
    for number in range(130):
        bag = a_bag({"a": b"a"}, identifier="another")
        register.put(BagVersion.of("digitised", f"b{number:03}", 1), bag)
    import_id = register.start_import()
    register.work(import_id)
    first = client.get(f"/imports/{import_id}").json()
    second = client.get(f"/imports/{import_id}?after={first['next']}").json()
    found = [problem["bag"] for page in (first, second) for problem in page["problems"]]
    assert (len(first["problems"]), "next" in second, found) == (
        100, False, [f"digitised/b{number:03}/v1" for number in range(130)]
    )  # fmt: skip


def test_a_look_is_told_as_csv_and_registers_nothing(client: httpx.Client, register: Register) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    asked = client.post("/imports", json={"location": {"id": "cold"}, "register": False})
    assert (asked.status_code, asked.json()["register"]) == (202, False)
    register.work(int(asked.json()["id"]))
    told = client.get(f"/imports/{asked.json()['id']}?format=csv")
    assert (told.headers["content-type"], told.text.splitlines()) == (
        "text/csv; charset=utf-8",
        ["bag,severity,code,message", 'digitised/b1/v1,info,would_register,"5 files, 436 bytes, evidence E1"'],
    )
    assert register.rows(bag_versions) == []


def test_an_import_that_cannot_be_is_refused(client: httpx.Client) -> None:
    bodies: list[object] = [{}, {"location": {"id": "x"}}, {"location": {"id": "cold"}, "prefix": "/a"}]
    answers = [client.post("/imports", json=body) for body in bodies]
    assert [(answer.status_code, answer.json()["description"]) for answer in answers] == [
        (400, "Invalid value at .location: Missing required field"),
        (400, 'Invalid value at .location.id: got "x", valid values are: azure, cold.'),
        (400, "Invalid value at .prefix: must not begin with a slash; it is below the location's prefix."),
    ]


def test_a_file_list_that_is_not_the_registered_one_is_never_a_whole_answer(
    register: Register, client: httpx.Client
) -> None:
    register.put(BagVersion.of("digitised", "b1", 1), a_bag({f"{n:04}": b"x" for n in range(3000)}))
    register.adopt()
    (row,) = register.rows(bag_versions)
    version = register.records.find(row["files_key"])
    version.data = version.data[:-20] + b"\0" * 20
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/bags/digitised/b1")


def test_a_dry_run_of_an_import_starts_none(register: Register, client: httpx.Client) -> None:
    wanted = {"location": {"id": "cold"}, "prefix": ""}
    told = client.post("/imports", params={"dryRun": "true"}, json=wanted)
    assert (told.status_code, told.json()["would"], register.rows(imports)) == (200, "create", [])
    started = client.post("/imports", json=wanted).json()["id"]
    again = client.post("/imports", params={"dryRun": "true"}, json=wanted).json()
    assert (again["would"], again["import"], again["objects"]) == ("join", started, None)
