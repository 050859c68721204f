"""What a campaign would take, by the service's plan on a virtual clock."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backfill_client.simulating.inventory import BadInventory, Part, read_csv, read_s3_inventory
from backfill_client.simulating.policies import all_at_once, bag_by_bag, by_plan
from backfill_client.simulating.report import Result, run
from backfill_client.simulating.synthetic import make
from backfill_client.simulating.world import Terms
from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from unit.command_line import invoke

OBJECTS, BYTES = 15_000, 10**12 // 4
RATE = BYTES / (11.5 * 86_400)
"""Bytes a second: what is copied without a pause takes eleven days and a half."""
ARCHIVE = make(bags=50, objects=OBJECTS, octets=BYTES, mix={"GLACIER": 4, "DEEP_ARCHIVE": 1}, seed=3)
TERMS = Terms(
    begin=datetime(2026, 1, 1, tzinfo=UTC),
    tier=Tier.BULK,
    copy_rate=RATE,
    book=read_prices(),
    region="us-east-1",
)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    policies = {"plan": by_plan(Budget(copy_rate=RATE)), "all": all_at_once(3), "bags": bag_by_bag(3)}
    return {one.policy: one for one in run(ARCHIVE, TERMS, policies)}


def test_a_made_up_archive_has_what_was_asked_for_to_the_byte() -> None:
    assert (sum(part.objects for part in ARCHIVE), sum(part.bytes for part in ARCHIVE)) == (OBJECTS, BYTES)
    assert {part.storage_class for part in ARCHIVE} == {"GLACIER", "DEEP_ARCHIVE"}
    assert max(part.objects for part in ARCHIVE) <= 500


def test_every_policy_copies_everything_and_never_faster_than_the_copier(results: dict[str, Result]) -> None:
    assert {one.samples[-1].copied for one in results.values()} == {BYTES}
    assert min(one.days for one in results.values()) >= 11.5


def test_the_plan_asks_for_each_object_once_and_keeps_the_copier_busy(results: dict[str, Result]) -> None:
    """All at once, copies expire before their turn: they are paid for, and thawed, twice."""
    planned, naive = results["plan"], results["all"]

    assert (planned.requests, planned.expired) == (OBJECTS, 0)
    assert naive.requests > OBJECTS * 5 / 4
    assert planned.cost < naive.cost * 7 / 10
    assert planned.days < 1.1 * 11.5


def test_under_the_plan_nothing_waits_longer_than_half_its_window(results: dict[str, Result]) -> None:
    assert results["plan"].longest_line_hours <= 36
    assert results["all"].longest_line_hours > 60


def test_bag_by_bag_takes_a_thaw_for_each(results: dict[str, Result]) -> None:
    assert results["bags"].days > 50 * 5 / 24


def test_a_budget_is_kept_in_the_simulation() -> None:
    budget = Budget(bytes_in_flight=BYTES // 10, copy_rate=RATE)

    (held,) = run(ARCHIVE, TERMS, {"plan": by_plan(budget)})

    assert held.peak_bytes <= BYTES // 10
    assert held.samples[-1].copied == BYTES


def test_an_inventory_of_objects_is_cut_as_the_service_cuts_bags(tmp_path: Path) -> None:
    file = tmp_path / "inventory.csv.gz"
    lines = ["key,size,storage_class", *(f"digitised/b1/v1/data/{n},10,GLACIER" for n in range(501))]
    lines.append("digitised/b2/v1/data/large,2000000000,DEEP_ARCHIVE")
    file.write_bytes(gzip.compress("\n".join(lines).encode()))

    assert read_csv(file, depth=3) == [
        Part(0, "GLACIER", 500, 5000),
        Part(0, "GLACIER", 1, 10),
        Part(1, "DEEP_ARCHIVE", 1, 2_000_000_000),
    ]


def test_an_s3_inventory_is_read_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b'"archive","s/b%20+1/v1/x","7","GLACIER"\n'))
    manifest = tmp_path / "manifest.json"
    facts = {"fileSchema": "Bucket, Key, Size, StorageClass", "files": [{"key": "inventory/data/a.csv.gz"}]}
    manifest.write_text(json.dumps(facts))

    assert read_s3_inventory(manifest, depth=3) == [Part(0, "GLACIER", 1, 7)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "the first line must name bag, storage_class, objects and bytes"),
        ("bag,storage_class,objects,bytes\nb1,GLACIER,many,2\n", "line 2: objects is 'many'"),
    ],
)
def test_an_inventory_that_cannot_be_read_names_the_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "inventory.csv"
    file.write_text(text)

    with pytest.raises(BadInventory, match=told):
        read_csv(file, depth=3)


@pytest.mark.slow
def test_the_command_shows_the_policies_side_by_side_and_draws_them(tmp_path: Path) -> None:
    few = ["--bags", "20", "--objects", "2000", "--bytes", "10 GB", "--copy-rate", "1 MB/s"]
    answer = invoke(["simulate", *few, "--plots", str(tmp_path)])

    assert answer.exit_code == 0, answer.output
    assert all(name in answer.output for name in ("just in time", "everything first", "bag by bag", "2,000 objects"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"thawing-{name}.svg" for name in ("copied", "cost", "in-flight", "readable")
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--mix", "GLACIER"], "--mix is 'GLACIER'"),
        (["--tier", "Fast"], "--tier is 'Fast'; write Expedited, Standard, Bulk"),
        (["--copy-rate", "quick"], "--copy-rate is 'quick'"),
    ],
)
def test_what_cannot_be_simulated_is_told_with_what_to_write(words: list[str], told: str) -> None:
    answer = invoke(["simulate", *words, "--bags", "1"], env={"COLUMNS": "400"})

    assert answer.exit_code == 2
    assert told in answer.output
