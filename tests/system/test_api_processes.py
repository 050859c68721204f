"""Both HTTP services as processes: what an operator starts, asks and stops."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from backfill_client import BackfillClient
from common.domain.bag import BagVersion
from common.ledger.engine import open_engine
from servers.handles import S3Server
from unit.bag_register.builders import a_bag
from unit.ingests_api.builders import fail
from unit.ingests_api.receivers import receiving

B1 = BagVersion.of("digitised", "PP/MIA 1", 1)
B1_V2 = BagVersion.of("digitised", "PP/MIA 1", 2)


def locations_file(folder: Path, *, s3: S3Server, bucket: str) -> Path:
    path = folder / "locations.toml"
    (folder / "azure").mkdir()
    path.write_text(f"""
[locations.cold]
provider = "amazon-s3"
bucket = "{bucket}"
title = "Amazon Glacier"
endpoint = "{s3.endpoint}"
region = "{s3.region}"
access_key_id = "{s3.access_key_id}"
secret_access_key = "{s3.secret_access_key}"

[locations.azure]
provider = "local"
bucket = "{folder / "azure"}"
""")
    return path


@contextmanager
def a_service(name: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The service's address; the process must end well when it is asked to."""
    given = {**os.environ, "BACKFILL_HTTP_PORT": "0", "BACKFILL_LOG_FORMAT": "json", **environment}
    process = subprocess.Popen([sys.executable, "-m", name], env=given, stderr=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{_port(process)}"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors.decode()


def _port(process: subprocess.Popen[bytes]) -> int:
    assert process.stderr is not None
    deadline, seen = time.monotonic() + 30, b""
    while time.monotonic() < deadline:
        if select.select([process.stderr], [], [], 0.2)[0]:
            seen += os.read(process.stderr.fileno(), 65536)
            for line in seen.splitlines():
                if b'"serving"' in line:
                    return int(json.loads(line)["port"])
        assert process.poll() is None, seen.decode()
    raise AssertionError(f"no port: {seen.decode()}")


@pytest.fixture
def environment(database: str, s3_server: S3Server, tmp_path: Path) -> dict[str, str]:
    """Settings of both services; the cold location holds two versions of a bag, payloads in Deep Archive."""
    bucket = s3_server.bucket()
    url = f"s3://{bucket}/digitised/PP/MIA%201/v1/data/%C3%A4%20b.txt"
    first = a_bag({"ä b.txt": b"old", "c": b"c"}, identifier="PP/MIA 1")
    second = a_bag({"new.txt": b"new"}, fetch={"ä b.txt": (url, b"old")}, identifier="PP/MIA 1", lengths=False)
    s3 = s3_server.client()
    for bag, files in ((B1, first), (B1_V2, second)):
        for path, body in files.items():
            tier = "DEEP_ARCHIVE" if path.startswith("data/") else "STANDARD"
            s3.put_object(Bucket=bucket, Key=f"{bag.path}/{path}", Body=body, StorageClass=tier)
    return {
        "BACKFILL_DATABASE_URL": database,
        "BACKFILL_LOCATIONS": str(locations_file(tmp_path, s3=s3_server, bucket=bucket)),
        "BACKFILL_RECORDS": str(tmp_path / "records"),
        "BACKFILL_EVIDENCE_CHECKPOINTS": str(tmp_path / "checkpoints"),
        "BACKFILL_DIGESTS": str(tmp_path / "digests"),
        "BACKFILL_AUTH": "off",
    }


def test_bags_of_a_frozen_bucket_are_imported_and_asked_for(environment: dict[str, str], tmp_path: Path) -> None:
    with (
        a_service("bag_register", environment) as register,
        a_service("ingests_api", environment | {"BACKFILL_DESTINATIONS": "azure"}) as api,
        BackfillClient(api, register=register) as client,
    ):
        *_, done = client.watch_import(client.start_import("cold").id, every=0.05)
        bag = client.get_bag("digitised", "PP/MIA 1")
        ingest = client.create_backfill("digitised", "PP/MIA 1")
        ready = [httpx.get(f"{address}/readyz").json() for address in (register, api)]
    assert (done.state, done.counts.registered, done.problems) == ("finished", 2, [])
    assert {file.path for file in bag.manifest.files} == {"v1/data/ä b.txt", "v2/data/new.txt"}
    assert (ingest.status, ingest.name, ingest.destination and ingest.destination.id) == (
        "accepted",
        "digitised/PP/MIA 1/v2",
        "azure",
    )
    assert ready == [{"status": "ok", "problems": {}}] * 2
    names = [path.name for path in tmp_path.joinpath("records").rglob("*.gz")]
    assert all(re.fullmatch(r"[0-9a-f]{64}\.ndjson\.gz", name) for name in names)
    assert len(names) == 2


def test_a_callback_is_delivered_by_the_process_that_took_the_request(environment: dict[str, str]) -> None:
    with receiving() as receiver:
        secret = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
        given = {"BACKFILL_CALLBACK_HOSTS": receiver.host, "BACKFILL_CALLBACK_SECRETS": secret}
        with (
            a_service("bag_register", environment) as register,
            a_service("ingests_api", environment | given) as api,
            BackfillClient(api, register=register) as client,
        ):
            list(client.watch_import(client.start_import("cold").id, every=0.05))
            ingest = client.create_backfill("digitised", "PP/MIA 1", destination="azure", callback_url=receiver.url)
            engine = open_engine(environment["BACKFILL_DATABASE_URL"], name="test")
            fail(engine, ingest.id)
            engine.dispose()
            assert receiver.arrived.wait(20)
        ((headers, body),) = receiver.requests
    told = Webhook(secret).verify(body, headers)
    assert (told["id"], told["status"]["id"]) == (ingest.id, "failed")


def test_a_wrong_setting_is_told_with_its_remedy(environment: dict[str, str]) -> None:
    given = {**os.environ, **environment, "BACKFILL_DESTINATIONS": "nowhere", "BACKFILL_HTTP_PORT": "0"}
    ended = subprocess.run([sys.executable, "-m", "ingests_api"], env=given, capture_output=True, timeout=60)
    told = "BACKFILL_DESTINATIONS: nowhere is not in the locations file. Choose from: azure, cold.\n"
    assert (ended.returncode, ended.stderr.decode().endswith(told)) == (2, True)
