"""Canaries: secrets with a mark in them are configured everywhere, everything goes wrong, and nobody tells them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from sqlalchemy import Engine, update

from common.ledger.engine import open_engine, transaction
from common.ledger.tables import replicas
from common.runtime.logs import set_up_logs
from unit.common.ledger.builders import a_backfill

MARK = "CANARY"
KEY = "Q0FOQVJZQ0FOQVJZQ0FOQVJZ"
"""An Azure account key: CANARYCANARYCANARY in base64."""

LOCATIONS = f"""
[locations.cold]
provider = "amazon-s3"
bucket = "cold"
endpoint = "http://127.0.0.1:1"
access_key_id = "{MARK}ID"
secret_access_key = "{MARK}SECRET"
session_token = "{MARK}TOKEN"

[locations.azure]
provider = "azure-blob-storage"
bucket = "azure"
endpoint = "http://127.0.0.1:1/archive"
account_name = "archive"
account_key = "{KEY}"

[locations.shared]
provider = "azure-blob-storage"
bucket = "shared"
endpoint = "http://127.0.0.1:1/archive"
account_name = "archive"
sas_token = "sv=2024-11-04&sp=rl&sig={MARK}SIGNATURE"
"""


def told(log: bytes | str, *, dsn: str = f"postgresql://u:{MARK}@h/d") -> list[str]:
    """The lines that hold a secret."""
    text = log if isinstance(log, str) else log.decode()
    secrets = (MARK, KEY, str(urlsplit(dsn).password))
    return [line for line in text.splitlines() if any(secret in line for secret in secrets)]


def run(tmp_path: Path, *, until: Callable[[Path], bool], **environment: str) -> bytes:
    """What a bag warmer writes before `until` is true of its log, and while it stops."""
    (tmp_path / "locations.toml").write_text(LOCATIONS)
    given = {
        "BACKFILL_LOCATIONS": str(tmp_path / "locations.toml"),
        "BACKFILL_LOG_LEVEL": "DEBUG",
        "BACKFILL_ATTEMPTS": "1",
        "BACKFILL_HOUSEKEEPING_PERIOD": "PT0.2S",
        "BACKFILL_STOP_WITHIN": "PT1S",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bag_warmer"],
            env={**os.environ, **given, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 90
        while not until(log) and process.poll() is None:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        process.terminate()
        process.wait(30)
    return log.read_bytes()


def dumped(dsn: str) -> str:
    """Everything the ledger says for people."""
    with psycopg.connect(dsn) as connection:
        rows = [
            *connection.execute("SELECT last_error, progress::text FROM replicas").fetchall(),
            *connection.execute("SELECT description, detail::text FROM ingest_events").fetchall(),
            *connection.execute("SELECT reason, body FROM dead_letters").fetchall(),
            *connection.execute("SELECT locations::text, '' FROM locations").fetchall(),
        ]
    return "\n".join(f"{one} {other}" for one, other in rows)


def wanted_from(engine: Engine, source: str, destination: str) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        connection.execute(
            update(replicas)
            .where(replicas.c.id == backfill.replica_id)
            .values(source_id=source, location_id=destination)
        )


def test_stores_that_cannot_be_reached_are_named_without_their_credentials(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO locations (id, provider, bucket) VALUES ('shared', 'azure-blob-storage', 'shared')"
        )
    engine = open_engine(database, name="test")
    for source, destination in (("cold", "azure"), ("azure", "cold"), ("shared", "cold")):
        wanted_from(engine, source, destination)
    engine.dispose()

    def all_failed(_log: Path) -> bool:
        with psycopg.connect(database) as connection:
            found = connection.execute("SELECT count(*) FROM replicas WHERE state = 'failed'").fetchone()
        return found == (3,)

    log = run(tmp_path, until=all_failed, BACKFILL_DATABASE_URL=database, BACKFILL_LOG_FORMAT="json")

    assert told(log, dsn=database) == []
    assert b"attempts" in log or b"transient" in log
    kept = dumped(database)
    assert "127.0.0.1" in kept or "cold" in kept
    assert told(kept, dsn=database) == []


@pytest.mark.parametrize("scheme", ["amqp", "sqs"])
def test_a_broker_that_cannot_be_reached_is_named_without_its_password(
    database: str, tmp_path: Path, scheme: str
) -> None:
    query = "?region=us-east-1" if scheme == "sqs" else ""
    log = run(
        tmp_path,
        until=lambda log: b"cannot listen" in log.read_bytes(),
        BACKFILL_DATABASE_URL=database,
        BACKFILL_BROKER_URL=f"{scheme}://somebody:{MARK}PASSWORD@127.0.0.1:1/{query}",
    )

    assert told(log, dsn=database) == []
    assert b"cannot listen" in log


def test_a_ledger_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    log = run(
        tmp_path,
        until=lambda log: b"waiting for the ledger" in log.read_bytes(),
        BACKFILL_DATABASE_URL=f"postgresql://u:{MARK}PG@127.0.0.1:1/d",
    )

    assert told(log) == []


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_the_places_and_not_what_their_variables_hold(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    set_up_logs(service="s", log_format=log_format, level="INFO")
    try:
        password = f"{MARK}LOCAL"
        raise KeyError(len(password))
    except KeyError:
        structlog.get_logger().exception("went wrong")
    finally:
        structlog.reset_defaults()

    shown = capsys.readouterr().err
    assert "KeyError" in shown
    assert __file__.rpartition("/")[2] in shown
    assert f"{MARK}LOCAL" not in shown
