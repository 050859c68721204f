from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import structlog

from servers.handles import AzureServer, S3Server


@pytest.fixture
def s3_location(s3_server: S3Server) -> Callable[..., dict[str, Any]]:
    """A fresh bucket of the cold server (or of another) as a table of the locations file."""

    def make(server: S3Server = s3_server, **more: Any) -> dict[str, Any]:
        return {
            "provider": "amazon-s3",
            "bucket": server.bucket(),
            "endpoint": server.endpoint,
            "access_key_id": server.access_key_id,
            "secret_access_key": server.secret_access_key,
            "region": server.region,
        } | more

    return make


@pytest.fixture
def azure_location(azurite: AzureServer) -> Callable[..., dict[str, Any]]:
    """A fresh container, with a signature that has the permissions only."""

    def make(permissions: str, *, container: str = "") -> dict[str, Any]:
        bucket = container or azurite.container()
        return {
            "provider": "azure-blob-storage",
            "bucket": bucket,
            "prefix": "bags/",
            "endpoint": azurite.endpoint,
            "account_name": azurite.account_name,
            "sas_token": azurite.sas(bucket, permissions),
        }

    return make


class Checks:
    """Runs services' checks over one ledger, which is the broker too."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file = directory / "locations.toml"
        self._capsys = capsys

    def run(self, service: str, locations: dict[str, dict[str, Any]], *words: str) -> tuple[int, dict[str, Any]]:
        """The exit status, and what each probe found by its name."""
        self._file.write_text(
            "".join(
                f"[locations.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
                for name, table in locations.items()
            )
        )
        status = import_module(f"{service}.wiring").check([*words, "--output", "json"])
        told = json.loads(self._capsys.readouterr().out)
        assert told["service"] == service
        return status, {one["probe"]: one for one in told["findings"]}


@pytest.fixture
def checks(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Checks]:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database)
    monkeypatch.setenv("BACKFILL_LOCATIONS", str(tmp_path / "locations.toml"))
    monkeypatch.setenv("BACKFILL_RECORDS", str(tmp_path / "records"))
    monkeypatch.setenv("BACKFILL_EVIDENCE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("BACKFILL_DIGESTS", str(tmp_path / "digests"))
    monkeypatch.delenv("BACKFILL_DESTINATIONS", raising=False)
    monkeypatch.delenv("BACKFILL_BROKER_URL", raising=False)
    yield Checks(tmp_path, capsys)
    structlog.reset_defaults()  # a check sets up its service's log, on a stream that ends with the test
