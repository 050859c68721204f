"""Importing from what was written down elsewhere: S3 Inventories, and another register's manifests."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.ledger.tables import bag_locations, bag_versions
from common.ports import ObjectInfo
from unit.bag_register.builders import Register, a_bag, counts, sha

B1 = BagVersion.of("digitised", "b 1", 1)
FILES = a_bag({"ä b.xml": b"hello", "b.tif": b"x" * 100}, identifier="b 1")
CREATED = "2019-09-13T13:14:15.123456789Z"
INGEST = "2f6cd0ee-4f6f-4c3b-8d5b-0a9e2f2c1d3e"


def lay(register: Register, key: str, data: bytes, *, at: str = "azure") -> None:
    register.bucket(at).put(ObjectInfo(key=key, size=0, etag=""), data)


def bucket_of(register: Register, location: str) -> str:
    return register.stores.configs[LocationId(location)].bucket


def listed(register: Register) -> list[ObjectInfo]:
    return list(register.stores(LocationId("cold")).list(prefix=""))


def csv_inventory(register: Register, *, md5: str | None = None, schema: str = "Bucket, Key, Size, ETag") -> None:
    lines = [
        f'"{bucket_of(register, "cold")}","{quote_plus(info.key)}","{info.size}","{info.etag}",'
        f'"{info.storage_class or "STANDARD"}"'
        for info in reversed(listed(register))
    ]
    data = gzip.compress("\n".join(lines).encode())
    lay(register, "inv/data/1.csv.gz", data)
    described(register, "CSV", schema, "inv/data/1.csv.gz", md5 or hashlib.md5(data).hexdigest())


def parquet_inventory(register: Register, tmp_path: Any) -> None:
    objects = listed(register)
    text = DataType.utf8()
    columns = {
        "bucket": Array([bucket_of(register, "cold")] * len(objects), text),
        "key": Array([info.key for info in objects], text),
        "size": Array([info.size for info in objects], DataType.int64()),
        "e_tag": Array([info.etag for info in objects], text),
    }
    write_parquet(Table.from_pydict(columns), tmp_path / "1.parquet")
    data = (tmp_path / "1.parquet").read_bytes()
    lay(register, "inv/data/1.parquet", data)
    lay(register, "inv/hive/symlink.txt", b"s3://elsewhere/inv/data/1.parquet\n")
    described(register, "Parquet", "message s3.inventory {}", "inv/data/1.parquet", hashlib.md5(data).hexdigest())


def described(register: Register, form: str, schema: str, key: str, md5: str) -> None:
    manifest = {
        "sourceBucket": bucket_of(register, "cold"),
        "fileFormat": form,
        "fileSchema": schema,
        "creationTimestamp": "1769817600000",
        "files": [{"key": key, "size": 1, "MD5checksum": md5}],
    }
    lay(register, "inv/manifest.json", json.dumps(manifest).encode())


def from_inventory(key: str = "inv/manifest.json") -> dict[str, Any]:
    return {"inventory": {"location": "azure", "key": key}}


def test_an_inventory_in_csv_stands_for_the_listing(register: Register) -> None:
    register.put(B1, FILES)
    csv_inventory(register)
    register.put(BagVersion.of("digitised", "later", 1), a_bag({"a": b"a"}, identifier="later"))
    record, problems = register.adopt(source=from_inventory())
    assert (record.state, counts(record), problems) == ("finished", (1, 0, 0), [])
    assert [row["evidence_class"] for row in register.rows(bag_locations)] == ["E1"]


@pytest.mark.parametrize("key", ["inv/manifest.json", "inv/hive/symlink.txt"])
def test_an_inventory_in_parquet_stands_for_the_listing(register: Register, tmp_path: Any, key: str) -> None:
    register.put(B1, FILES)
    parquet_inventory(register, tmp_path)
    record, problems = register.adopt(source=from_inventory(key))
    assert (record.state, counts(record), problems) == ("finished", (1, 0, 0), [])


def test_a_tag_file_that_was_written_after_the_inventory_is_not_taken_for_it(register: Register) -> None:
    register.put(B1, FILES)
    csv_inventory(register)
    register.put(B1, {"manifest-sha256.txt": b"other"})
    record, problems = register.adopt(source=from_inventory())
    assert (counts(record), [problem.code for problem in problems]) == ((0, 0, 1), ["source_changed"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"md5": "0" * 32}, "the inventory's manifest says"),
        ({"schema": "Bucket, Key, Size"}, "has no column ETag"),
    ],
)
def test_an_inventory_that_cannot_be_trusted_fails_the_import(
    register: Register, changes: dict[str, str], told: str
) -> None:
    register.put(B1, FILES)
    csv_inventory(register, **changes)
    record, _ = register.adopt(source=from_inventory())
    assert (record.state, record.error_code, told in str(record.last_error)) == (
        "failed",
        "inventory_not_understood",
        True,
    )


def a_manifest(register: Register, **changes: Any) -> dict[str, Any]:
    """As the storage service's API shows it."""
    named = {name: {"checksum": sha(data), "name": name, "path": f"v1/{name}", "size": len(data), "type": "File"}
             for name, data in sorted(FILES.items())}  # fmt: skip
    place = {"bucket": bucket_of(register, "cold"), "path": "digitised/b 1", "provider": {"id": "memory"}}
    replica = {"bucket": bucket_of(register, "azure"), "path": "bags/digitised/b 1", "provider": {"id": "memory"}}
    document = {
        "id": "digitised/b 1",
        "version": "v1",
        "createdDate": CREATED,
        "ingestId": INGEST,
        "space": {"id": "digitised"},
        "info": {"externalIdentifier": "b 1"},
        "manifest": {
            "checksumAlgorithm": "SHA-256",
            "files": [file for name, file in named.items() if name.startswith("data/")],
        },
        "tagManifest": {
            "checksumAlgorithm": "SHA-256",
            "files": [file for name, file in named.items() if not name.startswith("data/")],
        },
        "location": place,
        "replicaLocations": [replica],
    }
    return document | changes


def as_stored(document: dict[str, Any]) -> dict[str, Any]:
    """As the storage service keeps it, but for the providers, which are S3 there."""
    return document | {"space": "digitised", "version": 1}


def take_over(register: Register, document: dict[str, Any]) -> Any:
    lay(register, "manifests/digitised/b 1/1/x.json", json.dumps(document).encode())
    return register.adopt(source={"manifests": {"location": "azure", "key": "manifests/"}})


@pytest.mark.parametrize("form", [dict, as_stored])
def test_a_manifest_is_taken_over_with_its_date_its_ingest_and_its_copies(
    register: Register, client: httpx.Client, form: Any
) -> None:
    register.put(B1, FILES)
    register.put(B1, FILES, at="azure")
    record, problems = take_over(register, form(a_manifest(register)))
    assert (record.state, counts(record), problems) == ("finished", (1, 0, 0), [])
    copies = [(row["location_id"], row["role"], row["evidence_class"]) for row in register.rows(bag_locations)]
    assert copies == [("azure", "replica", "E1"), ("cold", "primary", "E1")]
    assert str(register.rows(bag_versions)[0]["ingest_id"]) == INGEST
    shown = client.get("/bags/digitised/b%201").json()
    assert (shown["createdDate"], len(shown["replicaLocations"])) == (CREATED, 1)
    assert client.get("/bags/digitised/b%201/versions").json()["results"][0]["createdDate"] == CREATED


def test_a_copy_that_is_not_what_the_manifest_says_is_not_taken_over(register: Register) -> None:
    register.put(B1, FILES)
    register.put(B1, {name: data for name, data in FILES.items() if name != "data/b.tif"}, at="azure")
    record, problems = take_over(register, a_manifest(register))
    assert (counts(record), [(p.code, p.severity) for p in problems]) == (
        (1, 0, 0),
        [("replica_not_listed", "warning")],
    )
    assert [row["location_id"] for row in register.rows(bag_locations)] == ["cold"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"createdDate": "yesterday"}, "manifest_not_understood"),
        ({"location": {"bucket": "other", "path": "digitised/b 1", "provider": {"id": "memory"}}}, "other_location"),
        ({"tagManifest": {"checksumAlgorithm": "SHA-256", "files": []}}, "record_differs"),
    ],
)
def test_a_manifest_that_is_not_true_registers_nothing(register: Register, changes: Any, code: str) -> None:
    register.put(B1, FILES)
    record, problems = take_over(register, a_manifest(register, **changes))
    assert (counts(record), [problem.code for problem in problems], register.rows(bag_versions)) == (
        (0, 0, 1),
        [code],
        [],
    )


@pytest.mark.parametrize("changes", [{"checksum": "0" * 64}, {"size": 4}, {"path": "v2/data/b.tif"}])
def test_every_name_size_and_digest_of_a_manifest_is_compared(register: Register, changes: dict[str, Any]) -> None:
    register.put(B1, FILES)
    document = a_manifest(register)
    document["manifest"]["files"][0] |= changes
    record, problems = take_over(register, document)
    assert (counts(record), [problem.code for problem in problems]) == ((0, 0, 1), ["record_differs"])


def test_a_source_is_asked_for_over_http(client: httpx.Client) -> None:
    place = {"location": {"id": "azure"}, "key": "inv/manifest.json"}
    begun = client.post("/imports", json={"location": {"id": "cold"}, "inventory": place})
    nowhere = client.post("/imports", json={"location": {"id": "cold"}, "manifests": {"location": {"id": "x"}}})
    both = client.post("/imports", json={"location": {"id": "cold"}, "inventory": place, "manifests": place})
    assert [answer.status_code for answer in (begun, nowhere, both)] == [202, 400, 400]
    assert "manifests.location.id" in nowhere.json()["description"]
    assert "exclude each other" in both.json()["description"]
