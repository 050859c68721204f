"""Campaigns from the command line and the typed client, against both live APIs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from backfill_client import BackfillClient
from unit.backfill_client.deployment import Deployment
from unit.common.ledger.campaigns.builders import end, prepared


@pytest.fixture
def three(deployment: Deployment) -> Deployment:
    for identifier in ("b1", "b2", "b3"):
        deployment.bag(identifier)
    return deployment


def started(deployment: Deployment, *options: str) -> str:
    made = deployment.cli("start", "--to", "azure", "--yes", "-o", "json", *options)
    assert made.exit_code == 0, made.output
    return str(json.loads(made.stdout)["id"])


def test_start_shows_what_it_is_about_and_begins_when_told_to(three: Deployment, client: BackfillClient) -> None:
    told = three.cli("start", "--to", "azure", "--name", "first", "--yes")

    assert told.exit_code == 0, told.output
    assert re.search(r"Bag versions +3 *\n", told.stdout)
    assert "digitised/b1/v1" in told.stdout
    assert [one.name for one in client.campaigns.page().results] == ["first"]


def test_start_asks_and_begins_nothing_without_a_yes(three: Deployment, client: BackfillClient) -> None:
    told = three.cli("start", "--to", "azure")

    assert (told.exit_code, "Begin 3 backfills to azure?" in told.stderr) == (1, True)
    assert client.campaigns.page().results == []


def test_a_dry_run_only_shows(three: Deployment, client: BackfillClient) -> None:
    told = three.cli("start", "--to", "azure", "--dry-run", "--most", "2", "-o", "json")

    assert json.loads(told.stdout)["wouldCreate"]["bags"] == 2
    assert client.campaigns.page().results == []


def test_an_unexpected_number_begins_nothing(three: Deployment, client: BackfillClient) -> None:
    told = three.cli("start", "--to", "azure", "--yes", "--expect", "4")

    assert (told.exit_code, "3 bag versions are selected, 4 were expected" in told.stderr) == (1, True)
    assert client.campaigns.page().results == []


def test_a_list_of_bags_comes_from_a_file(three: Deployment, client: BackfillClient, tmp_path: Path) -> None:
    names = tmp_path / "bags.txt"
    names.write_text("digitised/b2/v1\n\ndigitised/b3\n")

    campaign = started(three, "--bags", str(names))
    prepared(three.register.engine)

    assert client.campaigns.get(campaign).progress.selected.bags == 2


def test_a_list_that_a_report_printed_is_given_back(three: Deployment, client: BackfillClient, tmp_path: Path) -> None:
    printed = tmp_path / "missing.csv"
    printed.write_text(three.cli("-o", "csv", "bags", "missing", "--at", "azure").stdout)

    campaign = started(three, "--bags", str(printed))
    prepared(three.register.engine)

    assert client.campaigns.get(campaign).progress.selected.bags == 3


def test_conditions_and_a_list_together_are_refused(three: Deployment, tmp_path: Path) -> None:
    names = tmp_path / "bags.txt"
    names.write_text("digitised/b2/v1\n")

    refused = three.cli("start", "--to", "azure", "--bags", str(names), "--space", "digitised")

    assert (refused.exit_code, "not by several at once" in refused.stderr) == (2, True)


def test_a_campaign_is_paused_changed_resumed_and_cancelled(three: Deployment, client: BackfillClient) -> None:
    campaign = started(three, "--at-once", "1")
    prepared(three.register.engine)

    three.cli("pause", campaign, "--reason", "night")
    three.cli("campaign", "change", campaign, "--priority", "9", "--bytes-per-day", "5")
    paused = client.campaigns.get(campaign)
    three.cli("resume", campaign)
    cancelled = three.cli("campaign", "cancel", campaign, "--reason", "wrong")

    assert (paused.paused, paused.priority, paused.limits) == (True, 9, {"bagsInFlight": 1, "bytesPerDay": 5})
    assert "Cancelled: wrong; 2 ingests that had not begun were cancelled" in cancelled.stdout
    assert three.cli("pause", campaign).exit_code == 4


def test_watching_ends_with_1_where_ingests_failed_and_the_report_names_them(three: Deployment) -> None:
    campaign = started(three)
    prepared(three.register.engine)
    end(three.register.engine, "b1", "failed")
    end(three.register.engine, "b2")
    end(three.register.engine, "b3")
    prepared(three.register.engine)

    watched = three.cli("watch", campaign, "--every", "0.05")
    report = three.cli("report", campaign, "-o", "csv")
    listed = three.cli("campaign", "list", "--all", "-o", "csv")

    assert (watched.exit_code, bool(re.search(r"Done +2 of 3 bag versions", watched.stdout))) == (1, True)
    assert report.stdout.splitlines() == [
        "space,external_identifier,version,code,reason",
        "digitised,b1,v1,source_vanished,",
    ]
    assert listed.stdout.splitlines()[1].split(",")[2:] == ["finished", "azure", "2 of 3 bag versions", "1"]


def test_a_retry_makes_the_failed_ones_again(three: Deployment, client: BackfillClient) -> None:
    campaign = started(three)
    prepared(three.register.engine)
    for identifier in ("b1", "b2", "b3"):
        end(three.register.engine, identifier, "failed")
    prepared(three.register.engine)

    three.cli("campaign", "retry", campaign, "--reason", "mended")
    prepared(three.register.engine)

    found = client.campaigns.get(campaign)
    assert (found.state, found.progress.failed.bags, found.progress.under_way.bags) == ("running", 0, 3)


def test_a_location_is_required_listed_and_required_no_more(three: Deployment, client: BackfillClient) -> None:
    planned = three.cli(
        "requirements", "state", "azure", "--space", "digitised", "--heal", "2", "--dry-run", "-o", "csv"
    )
    stated = three.cli("requirements", "state", "azure", "--space", "digitised", "--heal", "5")
    listed = three.cli("requirements", "list", "-o", "csv")
    (found,) = client.requirements.every()
    gone = three.cli("requirements", "remove", str(found.id))
    assert planned.stdout.splitlines()[0] == "Would,Missing,Bytes,First campaign"
    assert planned.stdout.splitlines()[1].startswith("create,3,")
    assert planned.stdout.splitlines()[1].endswith(",2")

    assert (stated.exit_code, gone.exit_code, client.requirements.every()) == (0, 0, [])
    assert listed.stdout.splitlines()[1] == f"{found.id},azure,digitised,5 at a time,,,,"
