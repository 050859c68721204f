"""backfill ingest create, callbacks and replay against the live API."""

from __future__ import annotations

import json

import pytest

from backfill_client import BackfillClient, Wish
from unit.backfill_client.deployment import Deployment
from unit.backfill_client.test_client import a_server
from unit.command_line import invoke
from unit.ingests_api.builders import fail

CREATE = ("ingest", "create", "digitised", "b1")


def test_everything_that_a_request_can_say_arrives(deployment: Deployment) -> None:
    deployment.bag()
    words = ["--to", "azure", "--from", "cold", "--tier", "Bulk", "--restored-days", "5", "--priority", "70"]
    more = ["--deadline", "2099-01-31T18:00:00", "--client-tag", "job 7"]
    created = json.loads(deployment.cli(*CREATE, *words, *more, "-o", "json").stdout)
    assert (created["sourceLocation"]["id"], created["destination"]["id"]) == ("cold", "azure")
    assert created["options"] == {
        "tier": "Bulk",
        "restoredDays": 5,
        "priority": 70,
        "deadline": "2099-01-31T18:00:00.000000Z",
        "clientTag": "job 7",
    }


def test_a_dry_run_tells_and_does_nothing(deployment: Deployment) -> None:
    deployment.bag()
    told = deployment.cli(*CREATE, "--dry-run")
    document = json.loads(deployment.cli(*CREATE, "--dry-run", "-o", "json").stdout)
    assert "digitised/b1/v1 would be copied from cold to azure." in told.stdout
    assert "In all  1 ingests, 5 files" in told.stdout
    assert document["wouldCreate"]["ingests"] == 1
    assert json.loads(deployment.cli("ingest", "list", "-o", "json").stdout) == []


def test_every_version_comes_to_a_list(deployment: Deployment) -> None:
    deployment.bag("b1", 1, 2)
    listed = deployment.cli(*CREATE, "--version", "all", "-o", "csv")
    assert [row.split(",")[1] for row in listed.stdout.splitlines()] == ["Bag", "digitised/b1/v1", "digitised/b1/v2"]


def test_the_same_key_gets_the_same_answer_and_another_request_with_it_is_refused(deployment: Deployment) -> None:
    deployment.bag("b1", 1, 2)
    first, again = (deployment.cli(*CREATE, "--version", "1", "--key", "k", "-o", "json") for _ in range(2))
    other = deployment.cli(*CREATE, "--version", "2", "--key", "k")
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert (other.exit_code, "this key was used for another request" in other.stderr) == (4, True)


def test_a_request_whose_answer_was_lost_is_sent_again_with_its_key() -> None:
    pauses: list[float] = []
    with (
        a_server(503, 400) as (address, asked),
        BackfillClient(address, sleep=pauses.append) as client,
        pytest.raises(Exception, match="Bad Request"),
    ):
        client.asking.create(Wish(space="digitised", external_identifier="b1"))
    assert (asked, pauses) == (["POST", "POST"], [0.25])


def test_waiting_ends_with_1_where_the_ingest_failed(deployment: Deployment) -> None:
    deployment.bag()
    created = json.loads(deployment.cli(*CREATE, "--key", "k", "-o", "json").stdout)
    fail(deployment.register.engine, created["id"])
    waited = deployment.cli(*CREATE, "--key", "k", "--wait", "-o", "json", "--every", "0.05")
    assert (waited.exit_code, json.loads(waited.stdout)["error"]["code"]) == (1, "source_vanished")


def test_an_ingest_without_callback_has_none_to_list_or_replay(deployment: Deployment) -> None:
    deployment.bag()
    ingest = json.loads(deployment.cli(*CREATE, "-o", "json").stdout)["id"]
    listed = deployment.cli("ingest", "callbacks", ingest, "-o", "json")
    replayed = deployment.cli("ingest", "replay", ingest)
    assert (listed.exit_code, json.loads(listed.stdout)) == (0, [])
    assert (replayed.exit_code, "This ingest has no callback" in replayed.stderr) == (4, True)


def test_a_callback_is_listed_until_it_is_sent(deployment: Deployment) -> None:
    deployment.bag()
    url = "https://receiver.example.org/done"
    ingest = json.loads(deployment.cli(*CREATE, "--callback-url", url, "-o", "json").stdout)["id"]
    (listed,) = json.loads(deployment.cli("ingest", "callbacks", ingest, "-o", "json").stdout)
    row = deployment.cli("ingest", "callbacks", ingest, "-o", "csv").stdout.splitlines()[1]
    assert (listed["url"], listed["status"]["id"], listed["attempts"]) == (url, "pending", [])
    assert row.startswith(f"{url},pending,")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["bags", "show", "digitised", "b9"], "`backfill bags list`"),
        (["ingest", "show", "00000000-0000-4000-8000-000000000000"], "`ingest list`"),
    ],
)
def test_who_finds_nothing_is_told_where_to_look(deployment: Deployment, words: list[str], remedy: str) -> None:
    done = deployment.cli(*words)
    assert (done.exit_code, remedy in done.stderr) == (4, True)


def test_completion_is_offered_for_the_shell() -> None:
    done = invoke([], prog_name="backfill", env={"_BACKFILL_COMPLETE": "source_bash"})
    assert "COMPREPLY" in done.stdout
