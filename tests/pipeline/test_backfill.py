"""Cold bags travel from S3 to another provider and into the register, over every broker and to either store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local_stack.demo.check import check
from local_stack.demo.content import text
from local_stack.demo.making import Fetched, Recipe, make
from local_stack.demo.seeding import freeze_tag_files, seed
from pipeline.running import Pipeline, pipeline
from servers.handles import AzureServer, S3Server

BROKERS = ("pgmq", "rabbitmq", pytest.param("sqs", marks=pytest.mark.slow))
ODD = {"data/100% é e\u0301 #?+&.txt": b"x", "data/empty": b""}


def recipes(bucket: str) -> list[Recipe]:
    """A frozen bag, a deeper one with frozen manifests, one with two versions, one with odd names, a corrupt one."""
    files = {f"data/{n:02d}.txt": text(n, words=50) for n in range(12)}
    first = Recipe("space", "two/parts", 1, files, payload_class="INTELLIGENT_TIERING", archive_tier="ARCHIVE_ACCESS")
    kept = tuple(Fetched(p, f"s3://{bucket}/{first.root}{p}", d) for p, d in list(files.items())[:10])
    return [
        Recipe("space", "frozen", 1, files, payload_class="GLACIER"),
        Recipe("space", "deep", 1, files, payload_class="DEEP_ARCHIVE", frozen_tags="GLACIER", algorithms=("sha512",)),
        first,
        Recipe("space", "two/parts", 2, {"data/new.txt": b"new"}, fetched=kept),
        Recipe(
            "space",
            "odd 100",
            1,
            {"data/100% é e\u0301 #?+&.txt": b"x", "data/empty": b""},
            algorithms=("sha256", "md5"),
        ),
        Recipe("space", "corrupt", 1, files, corrupt="data/07.txt", payload_class="GLACIER"),
    ]


@contextmanager
def passing_time(s3: S3Server) -> Iterator[None]:
    """Three hours pass again and again, so that every thaw ends."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.25):
            s3.clock.advance(hours=3)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def locations_file(path: Path, *, s3: S3Server, bucket: str, replica: dict[str, str]) -> Path:
    cold = {
        "provider": "amazon-s3",
        "bucket": bucket,
        "endpoint": s3.endpoint,
        "region": s3.region,
        "access_key_id": s3.access_key_id,
        "secret_access_key": s3.secret_access_key,
    }
    tables = {"cold": cold, "replica": replica}
    lines = (
        f"[locations.{name}]\n" + "".join(f'{key} = "{value}"\n' for key, value in table.items())
        for name, table in tables.items()
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def backfill_all(line: Pipeline, bags: list[Recipe], *, s3: S3Server, bucket: str) -> list[dict[str, Any]]:
    """Import, freeze, backfill everything to "replica", and wait."""
    assert line.import_bags("cold")["counts"] == {"registered": len(bags), "known": 0, "refused": 0}
    client = s3.client()
    for bag in bags:
        if bag.frozen_tags:
            freeze_tag_files(bag, s3=client, bucket=bucket)
    with passing_time(s3):
        ids = [line.backfill(bag.space, bag.external_identifier, bag.version, to="replica") for bag in bags]
        return [line.ended(ingest_id) for ingest_id in ids]


def assert_the_end_is_right(line: Pipeline, bags: list[Recipe], ended: list[dict[str, Any]]) -> None:
    statuses = {bag.root: ingest["status"]["id"] for bag, ingest in zip(bags, ended, strict=True)}
    assert statuses == {bag.root: "failed" if bag.corrupt else "succeeded" for bag in bags}
    missing = line.register.get("/reports/unbackfilled", params={"location": "replica"}).json()["results"]
    assert [(bag["externalIdentifier"], bag["code"]) for bag in missing] == [("corrupt", "source_digest_mismatch")]


def seed_all(bags: list[Recipe], *, s3: S3Server, bucket: str) -> None:
    for bag in bags:
        seed(bag, s3=s3.client(), bucket=bucket, control=s3.clock)


def in_azure(azurite: AzureServer, container: str) -> dict[str, str]:
    """A location in a container, with a signature that may not delete."""
    return {
        "provider": "azure-blob-storage",
        "bucket": container,
        "endpoint": azurite.endpoint,
        "account_name": azurite.account_name,
        "sas_token": azurite.sas(container, "rcwl"),
    }


@pytest.fixture
def broker_url(request: pytest.FixtureRequest, database: str) -> str:
    """The URL of the broker that the test is parametrised with."""
    urls: dict[str, Callable[[], str]] = {
        "pgmq": lambda: database,
        "rabbitmq": lambda: request.getfixturevalue("rabbitmq").url,
        "sqs": lambda: request.getfixturevalue("sqs_url"),
    }
    return urls[request.param]()


@pytest.mark.parametrize("broker_url", BROKERS, indirect=True)
def test_cold_bags_travel_to_azure(
    broker_url: str, database: str, s3_server: S3Server, azurite: AzureServer, tmp_path: Path
) -> None:
    bucket, container = s3_server.bucket(), azurite.container()
    bags = recipes(bucket)
    seed_all(bags, s3=s3_server, bucket=bucket)
    replica = in_azure(azurite, container) | {"title": "Azure"}
    locations = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)

    with pipeline(database=database, broker=broker_url, locations=locations, records=tmp_path / "records") as line:
        ended = backfill_all(line, bags, s3=s3_server, bucket=bucket)

        assert_the_end_is_right(line, bags, ended)

    findings, strangers = check(azurite.client().get_container_client(container), [b for b in bags if not b.corrupt])
    assert [finding.faults for finding in findings] == [[]] * 5
    assert [name for name in strangers if not name.startswith("space/corrupt/v1/")] == []
    assert f"space/corrupt/v1/{bags[-1].corrupt}" not in strangers


def test_cold_bags_travel_to_a_second_s3_that_checks_signatures_and_checksums(
    database: str, s3_server: S3Server, seaweedfs: S3Server, tmp_path: Path
) -> None:
    bucket, copies = s3_server.bucket(), seaweedfs.bucket()
    bags = recipes(bucket)
    seed_all(bags, s3=s3_server, bucket=bucket)
    replica = {
        "provider": "amazon-s3",
        "bucket": copies,
        "endpoint": seaweedfs.endpoint,
        "region": seaweedfs.region,
        "access_key_id": seaweedfs.access_key_id,
        "secret_access_key": seaweedfs.secret_access_key,
        "title": "S3 two",
    }
    locations = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)

    with pipeline(database=database, broker=database, locations=locations, records=tmp_path / "records") as line:
        ended = backfill_all(line, bags, s3=s3_server, bucket=bucket)

        assert_the_end_is_right(line, bags, ended)

    client = seaweedfs.client()
    for bag in bags[:5]:
        for item in make(bag):
            assert client.get_object(Bucket=copies, Key=item.key)["Body"].read() == item.data


def test_names_that_azure_cannot_hold_travel_mapped_and_the_record_says_how(
    database: str, s3_server: S3Server, azurite: AzureServer, tmp_path: Path
) -> None:
    bucket, container = s3_server.bucket(), azurite.container()
    first = Recipe("space", "names", 1, {"data/notes.": b"n", "data/b^c": b"b", "data/plain": b"p"})
    kept = Fetched("data/notes.", f"s3://{bucket}/{first.root}data/notes.", b"n")
    bags = [first, Recipe("space", "names", 2, {"data/new./x": b"x"}, fetched=(kept,))]
    seed_all(bags, s3=s3_server, bucket=bucket)
    replica = in_azure(azurite, container) | {"names": "map"}
    locations = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)

    with pipeline(database=database, broker=database, locations=locations, records=tmp_path / "records") as line:
        ended = backfill_all(line, bags, s3=s3_server, bucket=bucket)
        records = [line.register.get("/bags/space/names", params={"version": f"v{n}"}).json() for n in (1, 2)]

    assert [ingest["status"]["id"] for ingest in ended] == ["succeeded", "succeeded"]
    told = [event["description"] for event in ended[0]["events"] if "mapped" in event["description"]]
    assert [sentence.partition(", ")[2].partition(", ")[2] for sentence in told] == ["2 names mapped"]
    mapped = [
        {each["name"]: each["path"] for each in record["replicaLocations"][0]["mappedNames"]} for record in records
    ]
    assert mapped == [
        {"data/b^c": "v1/data/b^5Ec", "data/notes.": "v1/data/notes^2E"},
        {"data/new./x": "v2/data/new^2E/x", "data/notes.": "v1/data/notes^2E"},
    ]
    assert "mappedNames" not in records[0]["location"]
    blobs = azurite.client().get_container_client(container)
    assert blobs.download_blob("space/names/v1/data/notes^2E").readall() == b"n"
    assert blobs.download_blob("space/names/v2/data/new^2E/x").readall() == b"x"


def test_one_request_at_a_time_and_a_slow_line_are_enough(
    database: str, s3_server: S3Server, azurite: AzureServer, tmp_path: Path
) -> None:
    bucket, container = s3_server.bucket(), azurite.container()
    bags = [Recipe("space", "slow", 1, {f"data/{n}": text(n, words=50) for n in range(8)})]
    seed(bags[0], s3=s3_server.client(), bucket=bucket, control=s3_server.clock)
    replica = in_azure(azurite, container) | {"bandwidth": "100 KB/s", "access_tier": "Cool"}
    path = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)
    path.write_text(path.read_text("utf-8").replace("\nprovider", "\nmax_concurrency = 1\nprovider"), "utf-8")

    with pipeline(database=database, broker=database, locations=path, records=tmp_path / "records") as line:
        ended = backfill_all(line, bags, s3=s3_server, bucket=bucket)

    assert [ingest["status"]["id"] for ingest in ended] == ["succeeded"]
    tiers = {blob.blob_tier for blob in azurite.client().get_container_client(container).list_blobs()}
    assert tiers == {"Cool"}
