"""A bag thaws by what its bucket tells of it alone: nobody looks at frozen objects in the meantime."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from common.adapters.objects.configuration import read_locations
from common.adapters.objects.registry import open_subscriptions
from common.domain.location import LocationId
from local_stack.demo.making import Recipe
from pipeline.running import pipeline
from pipeline.test_backfill import backfill_all, in_azure, locations_file, seed_all
from servers.handles import AzureServer, S3Server


def test_pitfall_23_events_alone_bring_a_frozen_bag_through_a_wait_of_days(
    database: str, s3_server: S3Server, azurite: AzureServer, tmp_path: Path
) -> None:
    bucket = s3_server.bucket()
    replica = in_azure(azurite, azurite.container())
    path = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)
    path.write_text(path.read_text() + f'\n[locations.cold.thaw]\nevents_queue = "{s3_server.queue()}"\n')
    files = {f"data/{n} é+%20.txt": b"x" for n in range(12)}
    bag = Recipe("space", "frozen", 1, files, payload_class="DEEP_ARCHIVE", frozen_tags="GLACIER")
    seed_all([bag], s3=s3_server, bucket=bucket)
    subscriptions = open_subscriptions(read_locations(path)[LocationId("cold")])
    subscriptions.put(subscriptions.subscribed(event_bridge=False))

    with pipeline(
        database=database, broker=database, locations=path, records=tmp_path, check_thaw_every=timedelta(days=2)
    ) as line:
        [ended] = backfill_all(line, [bag], s3=s3_server, bucket=bucket)

    assert ended["status"]["id"] == "succeeded", ended["events"]
