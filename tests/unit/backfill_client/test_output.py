"""The forms of lists, and colours."""

from __future__ import annotations

import csv
import io
import json

import pytest

from unit.backfill_client.deployment import Deployment
from unit.command_line import invoke


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("words", "head", "first"),
    [
        (["locations"], "Location", "azure"),
        (["bags", "list"], "space", "digitised"),
        (["bags", "versions", "digitised", "b1"], "Version", "v1"),
        (["bags", "missing", "--at", "azure"], "space", "digitised"),
        (["ingest", "list"], "Ingest", None),
        (["campaign", "list", "--all"], "Campaign", None),
        (["clients", "list"], "Id", None),
        (["dead-letters", "list"], "Id", None),
        (["requirements", "list"], "Id", None),
        (["uploads", "--at", "azure"], "path", None),
        (["doctor"], "Verdict", "ok"),
    ],
)
def test_every_list_can_be_had_as_csv(deployment: Deployment, words: list[str], head: str, first: str | None) -> None:
    deployment.bag()
    done = deployment.cli(*words, "-o", "csv")
    found = rows(done.stdout)
    assert done.exit_code == 0, done.stdout
    assert found[0][0] == head
    assert {len(row) for row in found} == {len(found[0])}
    assert [row[0] for row in found[1:2]] == ([] if first is None else [first])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["ingest", "show", "INGEST"], {"status": "accepted", "destination.id": "azure", "stalled.stage": ""}),
        (["ingest", "watch", "INGEST"], {"status": "failed", "error.code": "failed_by_operator"}),
        (["bags", "show", "digitised", "b1"], {"version": "v1", "files": "5", "primary": "cold", "replicas": ""}),
        (["campaign", "show", "CAMPAIGN"], {"state": "selecting", "paused": "False"}),
    ],
)
def test_one_thing_can_be_had_as_one_row(deployment: Deployment, words: list[str], wanted: dict[str, str]) -> None:
    deployment.bag()
    asked = {"INGEST": _ingest, "CAMPAIGN": _campaign}
    words = [asked[word](deployment, failed="watch" in words) if word in asked else word for word in words]

    done = deployment.cli(*words, "-o", "csv")

    names, values = rows(done.stdout)
    found = dict(zip(names, values, strict=True))
    assert {name: found.get(name) for name in wanted} == wanted


def _ingest(deployment: Deployment, *, failed: bool) -> str:
    made = json.loads(deployment.cli("ingest", "create", "digitised", "b1", "--to", "azure", "-o", "json").stdout)
    if failed:
        deployment.cli("ingest", "fail", made["id"], "--reason", "no")
    return str(made["id"])


def _campaign(deployment: Deployment, **_: object) -> str:
    made = deployment.cli("start", "--to", "azure", "--yes", "-o", "json")
    return str(json.loads(made.stdout)["id"])


def test_bags_are_listed_with_where_they_lie(deployment: Deployment) -> None:
    deployment.bag("b1", 1, 2)
    listed = deployment.cli("bags", "list", "--space", "digitised", "--limit", "1")
    elsewhere = deployment.cli("bags", "list", "--at", "azure", "-o", "json")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["Bag", "digitised/b1/v1"]
    assert "cold" in listed.stdout
    assert elsewhere.stdout.strip() == "[]"


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_means_no_colours_even_on_a_terminal(
    deployment: Deployment, environment: dict[str, str], coloured: bool
) -> None:
    """FORCE_COLOR makes rich take a pipe for a terminal."""
    words = ["--api", deployment.api, "--register-api", deployment.register_api, "doctor"]
    unset = {"NO_COLOR": None, "TERM": "xterm-256color", "FORCE_COLOR": "1", "COLUMNS": "200"}
    done = invoke(words, env=unset | environment)
    assert ("\x1b[32m" in done.stdout) is coloured
