"""Storage manifests of any size over HTTP: whole, in pages, unchanged, or somewhere else."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from bag_register.document_copies import DocumentCopies
from common.adapters.objects import registry
from common.adapters.objects.configuration import LocationConfig
from common.domain.bag import BagVersion
from common.domain.location import LocationId, Provider
from common.ledger.engine import transaction
from common.ledger.tables import bag_locations
from servers.handles import AzureServer, S3Server
from unit.bag_register.builders import Register, a_bag

B1 = BagVersion.of("digitised", "b1", 1)
PAYLOAD = {f"{n:02}": bytes([n]) for n in range(7)}
ADDRESS = "/bags/digitised/b1"


def a_registered_bag(register: Register) -> None:
    register.put(B1, a_bag(PAYLOAD))
    register.adopt()


def names(document: dict[str, Any]) -> list[str]:
    return [file["name"] for part in ("manifest", "tagManifest") for file in document[part]["files"]]


def walked(client: httpx.Client, limit: int) -> list[dict[str, Any]]:
    """Every page, by the links between them."""
    pages, address = list[dict[str, Any]](), f"{ADDRESS}?filesLimit={limit}"
    while True:
        answer = client.get(address).raise_for_status()
        pages.append(answer.json())
        if "next" not in answer.links:
            return pages
        address = str(answer.url.join(answer.links["next"]["url"]))


@pytest.mark.parametrize("limit", [1, 3, 11, 100])
def test_all_pages_together_are_the_document(register: Register, client: httpx.Client, limit: int) -> None:
    a_registered_bag(register)
    whole = client.get(ADDRESS).json()
    pages = walked(client, limit)
    lists = ("manifest", "tagManifest", "next", "fileCount")

    assert [name for page in pages for name in names(page)] == names(whole)
    assert {page["fileCount"] for page in pages} == {len(names(whole))}
    assert [{name: page[name] for name in page if name not in lists} for page in pages] == [
        {name: whole[name] for name in whole if name not in lists}
    ] * len(pages)
    assert "next" not in pages[-1]


def test_a_page_in_the_middle_needs_no_page_before_it(register: Register, client: httpx.Client) -> None:
    a_registered_bag(register)
    whole = names(client.get(ADDRESS).json())
    page = client.get(f"{ADDRESS}?filesAfter=5&filesLimit=3").json()

    assert (names(page), page["next"]) == (whole[5:8], {"filesAfter": 8, "filesLimit": 3, "version": "v1"})


def test_behind_the_last_file_there_is_an_empty_page(register: Register, client: httpx.Client) -> None:
    a_registered_bag(register)
    page = client.get(f"{ADDRESS}?filesAfter=99").json()

    assert (names(page), "next" in page) == ([], False)


@pytest.mark.parametrize("query", ["filesAfter=-1", "filesAfter=x", "filesLimit=0", "filesLimit=10001"])
def test_a_page_that_there_cannot_be_is_refused(client: httpx.Client, query: str) -> None:
    assert client.get(f"{ADDRESS}?{query}").status_code == 400


@pytest.mark.parametrize("query", ["", "?filesLimit=2"])
def test_what_has_not_changed_is_told_without_a_look_at_the_list(
    register: Register, client: httpx.Client, query: str
) -> None:
    a_registered_bag(register)
    tag = client.get(ADDRESS + query).headers["ETag"]
    register.records.objects.clear()
    answer = client.get(ADDRESS + query, headers={"If-None-Match": tag})

    assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, tag, b"")


def test_a_list_that_was_exchanged_gives_no_page(register: Register, client: httpx.Client) -> None:
    a_registered_bag(register)
    for versions in register.records.objects.values():
        versions[-1].data = versions[-1].data[:-9] + b"?" + versions[-1].data[-8:]

    assert client.get(f"{ADDRESS}?filesLimit=2").status_code == 500


def in_s3(server: S3Server) -> LocationConfig:
    return LocationConfig(
        id=LocationId("records"),
        provider=Provider.AMAZON_S3,
        bucket=server.bucket(),
        endpoint=server.endpoint,
        region=server.region,
        access_key_id=SecretStr(server.access_key_id),
        secret_access_key=SecretStr(server.secret_access_key),
    )


def in_azure(server: AzureServer) -> LocationConfig:
    return LocationConfig(
        id=LocationId("records"),
        provider=Provider.AZURE_BLOB,
        bucket=server.container(),
        endpoint=server.endpoint,
        account_name=server.account_name,
        account_key=SecretStr(server.account_key),
    )


@pytest.mark.parametrize("store", ["s3", "azure"])
def test_a_large_document_is_read_by_url_where_the_record_store_is(
    register: Register, s3_server: S3Server, azurite: AzureServer, store: str
) -> None:
    a_registered_bag(register)
    config = in_s3(s3_server) if store == "s3" else in_azure(azurite)
    link = registry.open_links(config)
    assert link
    copies = DocumentCopies(store=registry.open_store(config), prefix="register/", link=link, above=10)
    with register.serving(copies=copies) as client:
        usual = client.get(ADDRESS)
        moved = [client.get(f"{ADDRESS}?redirect=true") for _ in range(2)]

    assert usual.status_code == 200
    assert [(answer.status_code, answer.headers["Cache-Control"]) for answer in moved] == [(307, "no-store")] * 2
    assert [httpx.get(answer.headers["Location"]).content for answer in moved] == [usual.content] * 2


@pytest.mark.parametrize("above", [None, 11])
def test_a_document_that_is_not_large_or_cannot_be_elsewhere_is_answered_as_usual(
    register: Register, above: int | None
) -> None:
    a_registered_bag(register)
    link = "http://elsewhere/{}".format
    copies = above and DocumentCopies(store=register.lists.store, prefix="", link=link, above=above)
    with register.serving(copies=copies) as client:
        assert client.get(f"{ADDRESS}?redirect=true").content == client.get(ADDRESS).content


def a_second_version(register: Register) -> None:
    """v2 adds a file; the other lies in v1, where fetch.txt finds it."""
    register.put(B1, a_bag({"a": b"a"}))
    bucket = register.stores.configs[LocationId("cold")].bucket
    elsewhere = {"a": (f"memory://{bucket}/digitised/b1/v1/data/a", b"a")}
    register.put(BagVersion.of("digitised", "b1", 2), a_bag({"b": b"b"}, fetch=elsewhere))
    register.adopt()


def test_every_copy_says_what_it_rests_on(register: Register, client: httpx.Client) -> None:
    a_registered_bag(register)
    register.put(B1, a_bag(PAYLOAD), at="azure")
    register.adopt("azure", source={"copies": True})
    with transaction(register.engine) as connection:
        read_back = update(bag_locations).where(bag_locations.c.location_id == "azure")
        connection.execute(read_back.values(evidence_class="E3"))
    copies = [
        {"id": "cold", "evidence": "E1", "type": "Location"},
        {"id": "azure", "evidence": "E3", "type": "Location"},
    ]
    whole = client.get(ADDRESS).json()
    table = list(csv.DictReader(io.StringIO(client.get("/bags?format=csv").text)))

    assert [place["evidence"] for place in (whole["location"], *whole["replicaLocations"])] == ["E1", "E3"]
    assert client.get(f"{ADDRESS}/versions").json()["results"][0]["locations"] == copies
    assert client.get("/bags").json()["results"][0]["locations"] == copies
    assert [(row["locations"], row["evidence"]) for row in table] == [("cold azure", "E1 E3")]


def test_a_version_names_the_versions_that_hold_some_of_its_files(register: Register, client: httpx.Client) -> None:
    a_second_version(register)
    documents = [client.get(f"{ADDRESS}?version=v{number}").json() for number in (1, 2)]
    lines = [client.get(path).json()["results"] for path in (f"{ADDRESS}/versions", "/bags")]

    assert [document.get("dependsOn") for document in documents] == [None, ["v1"]]
    assert [{line["version"]: line.get("dependsOn") for line in some} for some in lines] == [
        {"v1": None, "v2": ["v1"]}
    ] * 2
