"""The command line against both live APIs."""

from __future__ import annotations

import json

import pytest

from common.domain.bag import BagVersion
from common.ports import ObjectInfo
from unit.backfill_client.deployment import Deployment, backfill
from unit.bag_register.builders import a_bag
from unit.ingests_api.builders import fail


def lines(text: str) -> list[list[str]]:
    """The words of every line."""
    return [line.split() for line in text.splitlines() if line.strip()]


def test_an_import_waits_and_tells_what_it_did(deployment: Deployment) -> None:
    deployment.register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}))
    with deployment.working():
        done = deployment.cli("bags", "import", "cold", "--wait", "--every", "0.05")
    assert done.exit_code == 0, done.output
    assert lines(done.stdout)[1:] == [
        ["Location", "cold"],
        ["State", "finished"],
        ["Registered", "1"],
        ["Known", "0"],
        ["Refused", "0"],
    ]


def test_an_import_that_refused_a_bag_ends_with_1(deployment: Deployment) -> None:
    deployment.register.put(BagVersion.of("digitised", "b1", 1), a_bag({"a": b"a"}, identifier="b2"))
    with deployment.working():
        done = deployment.cli("bags", "import", "cold", "--wait", "--every", "0.05", "-o", "json")
    document = json.loads(done.stdout)
    assert (done.exit_code, document["state"], [problem["code"] for problem in document["problems"]]) == (
        1,
        "finished",
        ["identifier_differs"],
    )


def frozen(deployment: Deployment, *options: str) -> str:
    """What a dry run prints where a bag is frozen."""
    for path, body in a_bag({"a": b"a"}).items():
        key = f"{BagVersion.of('digitised', 'b1', 1).path}/{path}"
        deployment.register.bucket("cold").put(ObjectInfo(key=key, size=0, etag="", storage_class="GLACIER"), body)
    with deployment.working():
        return deployment.cli("bags", "import", "cold", "--dry-run", "--every", "0.05", *options).stdout


def test_a_dry_run_of_an_import_tells_what_thawing_its_tag_files_costs(deployment: Deployment) -> None:
    shown = lines(frozen(deployment))

    assert ["Looked", "at", "1", "bags"] in shown
    assert ["Frozen", "tag", "files", "4"] in [line[:4] for line in shown]
    assert [line[:2] for line in shown if line[0] in ("Bulk", "Standard", "Expedited")] == [
        ["Bulk", "0.000000"],
        ["Expedited", "0.04"],
        ["Standard", "0.000200"],
    ]


def test_a_dry_run_of_an_import_tells_programs_what_it_costs(deployment: Deployment) -> None:
    told = json.loads(frozen(deployment, "-o", "json"))

    assert (told["tagFiles"]["lookedAt"], told["cost"]["requests"]) == ({"bags": 1, "complete": True}, 4)


def test_a_bag_is_shown_with_its_copies(deployment: Deployment) -> None:
    deployment.bag("PP/MIA 1")
    shown = deployment.cli("bags", "show", "digitised", "PP/MIA 1")
    assert shown.exit_code == 0
    assert ["Bag", "digitised/PP/MIA", "1/v1"] in lines(shown.stdout)
    assert [line[:4] for line in lines(shown.stdout)][-1] == ["primary", "cold", "E1", "memory"]


def test_what_each_copy_rests_on_is_listed_and_what_lies_in_which_class(deployment: Deployment) -> None:
    deployment.bag("b1")
    listed = deployment.cli("bags", "list")
    versions = deployment.cli("bags", "versions", "digitised", "b1")
    cold = deployment.cli("cold", "--at", "cold", "--output", "csv")

    assert "cold (E1)" in listed.stdout
    assert "cold (E1)" in versions.stdout
    assert [line.split(",")[:5] for line in cold.stdout.splitlines()] == [
        ["location", "space", "storage_class", "archived", "bags"],
        ["cold", "", "STANDARD", "False", "1"],
    ]


def test_versions_missing_and_locations_are_listed(deployment: Deployment) -> None:
    deployment.bag("b1", 1, 2)
    versions = deployment.cli("bags", "versions", "digitised", "b1")
    missing = deployment.cli("bags", "missing", "--at", "azure")
    places = deployment.cli("locations", "--output", "json")
    assert [line[0] for line in lines(versions.stdout)] == ["Version", "v2", "v1"]
    assert [line[:2] for line in lines(missing.stdout)] == [
        ["Bag", "State"],
        ["digitised/b1/v1", "missing"],
        ["digitised/b1/v2", "missing"],
        ["Total", "2"],
    ]
    assert [place["id"] for place in json.loads(places.stdout)] == ["azure", "cold"]


def test_an_ingest_is_created_shown_and_watched(deployment: Deployment) -> None:
    deployment.bag()
    created = deployment.cli("--output", "json", "ingest", "create", "digitised", "b1", "--to", "azure")
    ingest_id = json.loads(created.stdout)["id"]
    fail(deployment.register.engine, ingest_id)
    shown = deployment.cli("ingest", "show", ingest_id)
    watched = deployment.cli("ingest", "watch", ingest_id, "--every", "0.05")
    assert [result.exit_code for result in (created, shown, watched)] == [0, 0, 1]
    assert ["Bag", "digitised/b1/v1"] in lines(shown.stdout)
    assert ["Status", "failed"] in lines(watched.stdout)
    assert "Planning failed - an object is gone" in watched.stdout


def test_the_exit_code_says_what_kind_of_failure_it_was(deployment: Deployment) -> None:
    refused = deployment.cli("bags", "show", "digitised", "b9")
    usage = deployment.cli("bags", "missing")
    no_address = backfill("--api", "example.org", "locations")
    unreachable = backfill("--api", "http://127.0.0.1:1", "locations")
    assert [result.exit_code for result in (refused, usage, no_address, unreachable)] == [4, 2, 2, 3]
    assert refused.stderr.splitlines()[0] == "Error: Not Found: Storage manifest digitised/b9 not found"
    assert unreachable.stderr.endswith("Is the service running? Name its address with --api or BACKFILL_API.\n")


def test_a_plain_number_is_a_version_and_a_word_is_no_ingest(deployment: Deployment) -> None:
    deployment.bag()
    shown = deployment.cli("bags", "show", "digitised", "b1", "--version", "1")
    nonsense = deployment.cli("ingest", "show", "nonsense")
    assert ["Bag", "digitised/b1/v1"] in lines(shown.stdout)
    assert (nonsense.exit_code, "'nonsense' is no ingest's id" in nonsense.stderr) == (2, True)


def test_the_environment_names_the_api(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILL_API", deployment.register_api)
    assert backfill("locations").exit_code == 0


def test_without_a_terminal_nothing_is_coloured_or_cut(deployment: Deployment) -> None:
    identifier = "b" + "x" * 120
    deployment.bag(identifier)
    shown = deployment.cli("bags", "missing", "--at", "azure")
    assert "\x1b" not in shown.stdout
    assert f"digitised/{identifier}/v1" in shown.stdout


def test_a_thaw_is_estimated_for_what_was_named(deployment: Deployment) -> None:
    deployment.bag("b1", 1, 2)
    deployment.bag("b2")

    one, all_of_it = (
        json.loads(deployment.cli("-o", "json", "thaw", "estimate", "cold", *named).stdout)
        for named in (["--bag", "digitised/b1", "--to", "azure", "--days", "7"], ["--space", "digitised"])
    )

    assert (one["bags"], all_of_it["bags"]) == (2, 3)
