"""`python -m <service> check` against real servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from common.ledger.engine import open_engine, transaction
from servers.handles import AzureServer, S3Server
from unit.common.probing.conftest import Checks

Locations = Callable[..., dict[str, Any]]
EVERYWHERE = {"ledger: schema", "ledger: clock", "ledger: rights", "broker", "disk"}


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    """But for disk and clocks: those are this machine's."""
    return {name: one["verdict"] for name, one in found.items() if name != "disk" and "clock" not in name}


def test_the_warmer_may_list_read_and_thaw_where_bags_are_frozen(checks: Checks, s3_location: Locations) -> None:
    _, found = checks.run("bag_warmer", {"cold": s3_location(archive_class="DEEP_ARCHIVE")}, "--source", "cold")
    assert verdicts(found) == {
        "ledger: schema": "ok",
        "ledger: rights": "ok",
        "cold: known": "ok",
        "broker": "ok",
        "cold: list": "ok",
        "cold: read": "ok",
        "cold: thaw": "ok",
    }
    assert "cold: clock" in found


def test_the_replicator_proves_that_nothing_is_overwritten_at_once_and_ever_after(
    checks: Checks, s3_location: Locations, azure_location: Locations, azurite: AzureServer
) -> None:
    cold, azure = s3_location(archive_class="GLACIER"), azure_location("racwl")
    first = checks.run("backfill_replicator", {"cold": cold, "azure": azure})
    again = checks.run("backfill_replicator", {"cold": cold, "azure": azure})
    expected = {f"azure: {right}": "ok" for right in ("create", "upload", "unfinished", "read", "known")}
    blobs = azurite.client().get_container_client(azure["bucket"]).list_blob_names()
    assert {name: verdict for name, verdict in verdicts(first[1]).items() if name.startswith("azure")} == expected
    assert verdicts(first[1]) == verdicts(again[1])
    assert list(blobs) == ["bags/.backfill-probe/put-if-absent"]


def test_a_real_store_of_objects_passes_the_replicators_check(
    checks: Checks, s3_location: Locations, seaweedfs: S3Server
) -> None:
    _, found = checks.run("backfill_replicator", {"disk": s3_location(seaweedfs)})
    assert {name: one["verdict"] for name, one in found.items() if name.startswith("disk:")} == {
        f"disk: {right}": "ok" for right in ("clock", "known", "create", "upload", "unfinished", "read")
    }


def test_who_may_not_create_is_told_what_to_grant(checks: Checks, azure_location: Locations) -> None:
    status, found = checks.run("backfill_replicator", {"azure": azure_location("rl")})
    create = found["azure: create"]
    assert (status, create["verdict"], found["azure: upload"]["verdict"], found["azure: read"]["verdict"]) == (
        1,
        "failed",
        "failed",
        "ok",
    )
    assert "a SAS with create and write (c, w)" in create["remedy"]
    assert "--destination" in create["remedy"]


def test_who_may_not_read_or_list_is_told_what_to_grant(checks: Checks, azure_location: Locations) -> None:
    status, found = checks.run("replica_aggregator", {"azure": azure_location("c")})
    told = {name: (one["verdict"], one["remedy"].rpartition("with ")[2]) for name, one in found.items()}
    assert status == 1
    assert told["azure: list"][0] == told["azure: read"][0] == "failed"
    assert told["azure: list"][1].startswith("list (l)")
    assert told["azure: read"][1].startswith("read (r)")


@pytest.mark.parametrize(("permissions", "verdict"), [("r", "ok"), ("racwl", "warning")])
def test_the_verifier_should_not_be_able_to_write(
    checks: Checks, azure_location: Locations, permissions: str, verdict: str
) -> None:
    _, found = checks.run("verifier", {"azure": azure_location(permissions)})
    assert (found["azure: read"]["verdict"], found["azure: read-only"]["verdict"]) == ("ok", verdict)


def test_the_register_tries_its_record_store(checks: Checks, s3_location: Locations, tmp_path: Path) -> None:
    _, found = checks.run("bag_register", {"cold": s3_location(archive_class="GLACIER")})
    assert [found[f"records: {right}"]["verdict"] for right in ("create", "upload", "read")] == ["ok"] * 3
    assert (tmp_path / "records/.backfill-probe/put-if-absent").is_file()


def test_the_ingests_api_asks_no_store(checks: Checks, azure_location: Locations) -> None:
    _, found = checks.run("ingests_api", {"azure": azure_location("r")})
    assert found.keys() == EVERYWHERE | {"azure: known"}


def test_a_bucket_that_is_not_there_fails(checks: Checks, s3_location: Locations) -> None:
    status, found = checks.run("bag_warmer", {"cold": s3_location() | {"bucket": "no-such-bucket"}})
    assert (status, found["cold: list"]["verdict"]) == (1, "failed")
    assert "Check the location's bucket" in found["cold: list"]["remedy"]


def test_a_location_that_moved_is_told(checks: Checks, azure_location: Locations, database: str) -> None:
    location = azure_location("rl")
    engine = open_engine(database, name="test", pool_size=1)
    with transaction(engine) as connection:
        connection.execute(
            text("INSERT INTO locations (id, provider, bucket, prefix) VALUES ('old', :p, :b, :x)"),
            {"p": location["provider"], "b": location["bucket"], "x": location["prefix"]},
        )
    _, found = checks.run("verifier", {"azure": location})
    with transaction(engine) as connection:
        known = list(connection.execute(text("SELECT id FROM locations")).scalars())
    engine.dispose()
    assert found["azure: known"]["verdict"] == "failed"
    assert "is the same place as old" in found["azure: known"]["message"]
    assert known == ["old"]


def test_a_ledger_that_is_down_fails_with_its_setting(
    checks: Checks, azure_location: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_BROKER_URL", "memory://check")
    monkeypatch.setenv("BACKFILL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    status, found = checks.run("verifier", {"azure": azure_location("r")})
    assert (status, found["ledger"]["verdict"], found["azure: read"]["verdict"]) == (1, "failed", "ok")
    assert "BACKFILL_DATABASE_URL" in found["ledger"]["remedy"]


def test_a_broker_that_is_down_fails_while_the_rest_is_asked(
    checks: Checks, azure_location: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_BROKER_URL", "amqp://127.0.0.1:1//")
    status, found = checks.run("verifier", {"azure": azure_location("r")})
    assert (status, found["broker"]["verdict"], found["azure: read"]["verdict"]) == (1, "failed", "ok")


def test_an_empty_database_is_migrated_by_the_service_and_not_by_its_check(
    checks: Checks, azure_location: Locations, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", empty_database)
    monkeypatch.setenv("BACKFILL_BROKER_URL", "memory://check")
    _, found = checks.run("verifier", {"azure": azure_location("r")})
    assert found["ledger: schema"]["verdict"] == "ok"
    assert found["ledger: schema"]["message"].endswith("the service migrates it when it starts")
    assert "azure: known" not in found
