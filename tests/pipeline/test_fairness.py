"""A bag of many segments and small ones after it share every queue and every worker."""

from __future__ import annotations

from pathlib import Path

from local_stack.demo.making import Recipe
from pipeline.running import pipeline
from pipeline.test_backfill import in_azure, locations_file, seed_all
from servers.handles import AzureServer, S3Server

FILES, SMALL = 160, 4


def test_small_bags_are_registered_while_a_large_one_is_under_way(
    database: str, s3_server: S3Server, azurite: AzureServer, tmp_path: Path
) -> None:
    bucket, container = s3_server.bucket(), azurite.container()
    large = Recipe("space", "large", 1, {f"data/{n:04}": b"x" for n in range(FILES)})
    small = [Recipe("space", f"small-{n}", 1, {"data/a": b"a"}) for n in range(SMALL)]
    seed_all([large, *small], s3=s3_server, bucket=bucket)
    replica = in_azure(azurite, container)
    locations = locations_file(tmp_path / "locations.toml", s3=s3_server, bucket=bucket, replica=replica)

    with pipeline(database=database, broker=database, locations=locations, records=tmp_path / "records") as line:
        line.import_bags("cold")
        first = line.backfill("space", "large", 1, to="replica")
        line.until(first, lambda found: found["progress"]["verified"]["segments"] > 0)
        rest = [line.backfill(bag.space, bag.external_identifier, 1, to="replica") for bag in small]
        ended = [line.ended(ingest_id) for ingest_id in rest]
        meanwhile = line.until(first, lambda _: True)
        last = line.ended(first)

    assert {ingest["status"]["id"] for ingest in ended} == {"succeeded"}
    assert meanwhile["progress"]["verified"]["segments"] < meanwhile["progress"]["planned"]["segments"] * 3 / 4
    assert last["status"]["id"] == "succeeded"
    told = [
        event["description"] for event in last["events"] if event["description"].startswith("Verification (replica):")
    ]
    done = [int(sentence.partition(": ")[2].partition(" of")[0]) for sentence in told]
    assert len(done) == 9
    assert done == sorted(done)
