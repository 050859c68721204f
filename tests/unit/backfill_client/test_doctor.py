"""backfill doctor against live APIs, and against what is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from backfill_client.doctor import server_time
from common.web.auth import Permission
from common.web.auth.configured import asking, own_issuer
from common.web.auth.directory import Directory
from common.web.auth.identifying import Identifier
from unit.backfill_client.deployment import Deployment, backfill
from unit.ingests_api.builders import an_app, serving
from unit.ingests_api.test_authentication import someone

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def told(text: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["of"], one["probe"]): one for one in json.loads(text)}


def test_a_deployment_that_asks_nobody_is_well(deployment: Deployment) -> None:
    done = deployment.cli("doctor", "-o", "json")
    assert done.exit_code == 0
    assert {place: one["verdict"] for place, one in told(done.stdout).items()} == {
        ("ingests API", "ready"): "ok",
        ("ingests API", "clock"): "ok",
        ("ingests API", "release"): "ok",
        ("ingests API", "scope ingests:read"): "ok",
        ("ingests API", "scope ingests:write"): "ok",
        ("ingests API", "scope operate"): "ok",
        ("bag register", "ready"): "ok",
        ("bag register", "clock"): "ok",
        ("bag register", "release"): "ok",
        ("bag register", "scope bags:read"): "ok",
    }


def test_a_table_says_where_the_workers_rights_are_asked(deployment: Deployment) -> None:
    done = deployment.cli("doctor")
    assert "python -m <service> check" in done.stderr
    assert "scope ingests:write" in done.stdout


def test_what_the_caller_may_not_do_is_told_with_whom_to_ask(engine: Engine, quiet: None) -> None:
    reader = someone(engine, Permission.INGESTS_READ, kind="key")
    guard = asking(Identifier(Directory(engine), [own_issuer(engine)]))
    with serving(an_app(engine, guard=guard)) as http:
        api = str(http.base_url)
        read = told(backfill("--api", api, "--api-key", reader.secret, "doctor", "-o", "json").stdout)
        nobody = backfill("--api", api, "doctor", "-o", "json")
    asked = [read["ingests API", f"scope {scope}"] for scope in ("ingests:read", "ingests:write", "operate")]
    assert [one["verdict"] for one in asked] == ["ok", "warning", "warning"]
    assert asked[1]["remedy"].endswith("backfill clients create NAME --scope ingests:write")
    refused = told(nobody.stdout)["ingests API", "scope ingests:read"]
    assert (nobody.exit_code, refused["verdict"], "BACKFILL_API_KEY" in refused["remedy"]) == (1, "failed", True)


def test_an_api_that_is_not_there_fails_and_the_other_is_asked(deployment: Deployment) -> None:
    done = backfill("--api", "http://127.0.0.1:1", "--register-api", deployment.register_api, "doctor", "-o", "json")
    found = told(done.stdout)
    assert (done.exit_code, found["ingests API", "reached"]["verdict"]) == (1, "failed")
    assert "--api" in found["ingests API", "reached"]["remedy"]
    assert found["bag register", "ready"]["verdict"] == "ok"


def test_services_on_this_machine_tell_what_they_lack(
    deployment: Deployment, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "store"
    place.mkdir()
    locations = tmp_path / "locations.toml"
    locations.write_text(f'[locations.disk]\nprovider = "local"\nbucket = "{place}"\n')
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database)
    monkeypatch.setenv("BACKFILL_LOCATIONS", str(locations))
    monkeypatch.setenv("BACKFILL_RECORDS", str(tmp_path / "records"))
    monkeypatch.setenv("BACKFILL_EVIDENCE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("BACKFILL_DIGESTS", str(tmp_path / "digests"))
    done = deployment.cli("doctor", "--local", "--service", "verifier", "--destination", "disk", "-o", "json")
    found = told(done.stdout)
    assert done.exit_code == 0, done.stdout
    assert (found["verifier", "ledger: schema"]["verdict"], found["verifier", "disk: read-only"]["verdict"]) == (
        "ok",
        "warning",
    )


def test_a_service_without_settings_fails_with_their_names(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BACKFILL_DATABASE_URL", raising=False)
    done = deployment.cli("doctor", "--local", "--service", "verifier", "-o", "json")
    assert (done.exit_code, "BACKFILL_DATABASE_URL" in told(done.stdout)["verifier", "check"]["message"]) == (1, True)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([], None),
        (["yesterday"], None),
        (["Sat, 21 Nov 2026 12:00:00 GMT"], NOON),
        (["Sat, 21 Nov 2026 12:00:00 -0000"], NOON),
        (["Sat, 21 Nov 2026 11:59:00 GMT", "Sat, 21 Nov 2026 12:00:00 GMT"], NOON),
    ],
)
def test_an_answer_is_dated_by_the_service_behind_a_proxy(dates: list[str], expected: datetime | None) -> None:
    assert server_time(httpx.Headers([("date", date) for date in dates])) == expected
