"""A large file that the stores copy between themselves, and one that they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from local_stack.demo.making import Recipe
from pipeline.running import pipeline
from pipeline.test_backfill import backfill_all, in_azure, locations_file, seed_all
from servers.handles import AzureServer, S3Server

LARGE = 9 << 20


@pytest.mark.parametrize("destination", ["the same S3", "Azure"])
def test_a_frozen_bag_is_copied_by_the_stores_where_they_can_and_by_the_worker_where_not(
    destination: str, request: pytest.FixtureRequest, database: str, s3_server: S3Server, tmp_path: Path
) -> None:
    bucket = s3_server.bucket()
    bags = [Recipe("space", "large", 1, {"data/large": bytes(LARGE), "data/small": b"s"}, payload_class="GLACIER")]
    seed_all(bags, s3=s3_server, bucket=bucket)
    replica = _in_azure(request) if destination == "Azure" else _in_s3(s3_server)
    locations = locations_file(
        tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica | {"copying": "server-side"}
    )

    with (
        capture_logs() as logs,
        pipeline(database=database, broker=database, locations=locations, records=tmp_path / "records") as line,
    ):
        ended = backfill_all(line, bags, s3=s3_server, bucket=bucket)

    copied = [entry["outcome"] for entry in logs if entry["event"] == "step" and entry["stage"] == "copying"]
    assert [ingest["status"]["id"] for ingest in ended] == ["succeeded"]
    assert any("by the stores themselves" in outcome for outcome in copied) == (destination != "Azure")
    assert any(entry["event"] == "the stores do not copy by themselves" for entry in logs) == (destination == "Azure")


def _in_azure(request: pytest.FixtureRequest) -> dict[str, Any]:
    azurite: AzureServer = request.getfixturevalue("azurite")
    return dict(in_azure(azurite, azurite.container()))


def _in_s3(s3: S3Server) -> dict[str, Any]:
    return {
        "provider": "amazon-s3",
        "bucket": s3.bucket(),
        "endpoint": s3.endpoint,
        "region": s3.region,
        "access_key_id": s3.access_key_id,
        "secret_access_key": s3.secret_access_key,
    }
