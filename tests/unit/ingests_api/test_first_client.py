"""The client that is made before there is anybody to make it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.ledger import actions, clients
from common.ledger.engine import open_engine, transaction
from common.web.auth.secrets import same
from ingests_api.first_client import main


def test_the_first_client_is_written_for_its_owner_and_into_the_ledger(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database)
    path = tmp_path / "credentials.json"
    main(["--name", "admin", "--why", "first", "--api", "https://a.example.org/", "--write", str(path)])
    kept = json.loads(path.read_text("utf-8"))
    engine = open_engine(database, name="test")
    with transaction(engine) as connection:
        made = clients.find_usable(connection, kept["client_id"])
        (told,) = actions.actions_on(connection, f"client:{kept['client_id']}")
    engine.dispose()

    assert path.stat().st_mode & 0o777 == 0o600
    assert kept["token_url"] == "https://a.example.org/oauth2/token"
    assert made is not None
    assert same(kept["client_secret"], made.secret_sha256)
    assert made.permissions == ("bags:read", "ingests:read", "ingests:write", "operate")
    assert (told.what, told.why, told.who.startswith("shell:")) == ("client created", "first", True)
