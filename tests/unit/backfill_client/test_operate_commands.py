"""Looking after ingests and dead letters from the command line, against live APIs."""

from __future__ import annotations

import json
from uuid import uuid4

from common.ledger import failing
from common.ledger.engine import transaction
from unit.backfill_client.deployment import Deployment
from unit.backfill_client.test_cli import lines
from unit.ingests_api.builders import fail

WHY = ("--reason", "withdrawn")


def begun(deployment: Deployment, identifier: str = "b1") -> str:
    deployment.bag(identifier)
    made = deployment.cli("-o", "json", "ingest", "create", "digitised", identifier, "--to", "azure")
    return str(json.loads(made.stdout)["id"])


def test_ingests_are_listed_by_what_they_are(deployment: Deployment) -> None:
    first, second = begun(deployment, "b1"), begun(deployment, "b2")
    fail(deployment.register.engine, first)

    everything = deployment.cli("ingest", "list")
    failed = deployment.cli("ingest", "list", "--status", "failed", "--to", "azure", "-o", "json")
    one = deployment.cli("ingest", "list", "--limit", "1", "--oldest-first", "-o", "csv")
    wrong = deployment.cli("ingest", "list", "--status", "lost")

    assert [line[:4] for line in lines(everything.stdout)][1:] == [
        [second, "digitised/b2/v1", "azure", "accepted"],
        [first, "digitised/b1/v1", "azure", "failed"],
    ]
    assert [found["id"] for found in json.loads(failed.stdout)] == [first]
    assert [row.split(",")[0] for row in one.stdout.splitlines()] == ["Ingest", first]
    assert (wrong.exit_code, "valid values are: accepted, processing" in wrong.stderr) == (4, True)


def test_an_ingest_is_cancelled_and_tells_what_it_cost(deployment: Deployment) -> None:
    ingest_id = begun(deployment)

    done = deployment.cli("ingest", "cancel", ingest_id, *WHY)
    again = deployment.cli("ingest", "fail", ingest_id, *WHY)

    assert ["Error", "cancelled:", "Cancelled", "by", "everyone", "-", "withdrawn"] in lines(done.stdout)
    assert ["Restores", "asked", "for", "none"] in lines(done.stdout)
    assert (done.exit_code, again.exit_code) == (0, 4)
    assert "that is final" in again.stderr


def test_an_ingest_is_sped_up(deployment: Deployment) -> None:
    ingest_id = begun(deployment)

    done = deployment.cli("ingest", "speed-up", ingest_id, "--tier", "Standard", *WHY)
    again = deployment.cli("ingest", "speed-up", ingest_id, "--tier", "Standard", *WHY)

    assert (done.exit_code, "Thawed as Standard from now on" in done.stdout) == (0, True)
    assert (again.exit_code, "is no faster" in again.stderr) == (4, True)


def test_a_failed_ingest_is_retried_as_another(deployment: Deployment) -> None:
    ingest_id = begun(deployment)
    fail(deployment.register.engine, ingest_id)

    done = deployment.cli("ingest", "retry", ingest_id, *WHY, "-o", "json")

    assert (done.exit_code, json.loads(done.stdout)["retryOf"]) == (0, ingest_id)


def test_what_nobody_gave_a_reason_for_is_not_done(deployment: Deployment) -> None:
    unnamed = deployment.cli("ingest", "cancel", str(uuid4()))
    empty = deployment.cli("ingest", "cancel", begun(deployment), "--reason", " ")

    assert (unnamed.exit_code, empty.exit_code) == (2, 4)


def test_dead_letters_are_listed_shown_and_decided_about(deployment: Deployment) -> None:
    with transaction(deployment.register.engine) as connection:
        failing.dead_letter(
            connection, queue="verifier_verifying_daily", body=b"\xff", code="not_a_hint", reason="not JSON"
        )

    listed = deployment.cli("dead-letters", "list", "--stage", "verifying")
    refused = deployment.cli("dead-letters", "redrive", "1", *WHY)
    discarded = deployment.cli("dead-letters", "discard", "1", *WHY)
    shown = deployment.cli("dead-letters", "show", "1", "-o", "json")
    left = deployment.cli("dead-letters", "list", "-o", "json")
    everything = deployment.cli("dead-letters", "list", "--all", "-o", "json")

    assert [line[0] for line in lines(listed.stdout)] == ["Id", "1"]
    assert (refused.exit_code, "discard it" in refused.stderr) == (4, True)
    assert ["Status", "discarded"] in lines(discarded.stdout)
    document = json.loads(shown.stdout)
    assert (document["status"], [one["reason"] for one in document["actions"]]) == ("discarded", ["withdrawn"])
    assert (json.loads(left.stdout), len(json.loads(everything.stdout))) == ([], 1)
