"""`backfill check` on real stores, with what may go wrong planted in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backfill_check.depth import READ
from backfill_check.register import Target
from backfill_check.running import Wish
from common.ledger.engine import transaction
from servers.handles import AzureServer, S3Server
from unit.backfill_check.archives import FILES, FIRST, SECOND, Archive, on_azure, on_disk, on_s3

PER_BAG = len(FILES) + 4
"""And bagit.txt, bag-info.txt and two manifests."""


@pytest.fixture(params=["s3", "azure", "disk"])
def archive(request: pytest.FixtureRequest, engine: Engine, database: str, tmp_path: Path) -> Archive:
    match request.param:
        case "s3":
            server: S3Server = request.getfixturevalue("s3_server")
            return on_s3(engine, database, tmp_path, server)
        case "azure":
            azurite: AzureServer = request.getfixturevalue("azurite")
            return on_azure(engine, database, tmp_path, azurite)
    return on_disk(engine, database, tmp_path)


@pytest.fixture
def disk(engine: Engine, database: str, tmp_path: Path) -> Archive:
    archive = on_disk(engine, database, tmp_path)
    archive.adopt()
    return archive


def found(archive: Archive, *words: str) -> tuple[int, list[tuple[str, str]]]:
    """The exit code, and sign and key of everything that does not agree."""
    result = archive.check(*words)
    lines = [line for line in result.stdout.splitlines() if line]
    return result.exit_code, [(line[0], line[2:].split("  ")[0].removeprefix("there:bags/")) for line in lines]


def test_everything_that_was_planted_is_found_and_nothing_else(archive: Archive) -> None:
    archive.adopt()
    whole = archive.check("--read", "--all", "-o", "json")
    archive.put("bags/space/b1/v1/data/a.txt", b"aab")
    archive.remove("bags/space/b1/v1/data/z.txt")
    archive.put("bags/space/b1/v1/data/too many", b"x")
    archive.put("bags/space/a0/v1/bagit.txt", b"orphan")
    archive.put("bags/zz", b"orphan")

    damaged = found(archive, "--read")
    listed = found(archive, "--list")

    *findings, summary = map(json.loads, whole.stdout.splitlines())
    assert whole.exit_code == 0
    assert [one["sign"] for one in findings] == ["="] * (2 * PER_BAG)
    assert summary["summary"] | {"bytesRead": 0} == {
        "same": 2 * PER_BAG,
        "orphan": 0,
        "phantom": 0,
        "mismatch": 0,
        "error": 0,
        "bagVersions": 2,
        "filesRead": 2 * PER_BAG,
        "bytesRead": 0,
        "ended": True,
        "orphansLookedFor": True,
    }
    expected = [
        ("-", "space/a0/v1/bagit.txt"),
        ("+", "space/b1/v1/data/z.txt"),
        ("-", "space/b1/v1/data/too many"),
        ("*", "space/b1/v1/data/a.txt"),
        ("-", "zz"),
    ]
    assert damaged == (1, expected)
    assert listed == (1, [one for one in expected if one[0] != "*"])


def test_a_bag_of_which_nothing_is_there_is_one_phantom(disk: Archive) -> None:
    for path in [*(f"data/{name}" for name in FILES), "bagit.txt", "bag-info.txt", "manifest-sha256.txt"]:
        disk.remove(f"bags/{FIRST.path}/{path}")
    disk.remove(f"bags/{FIRST.path}/tagmanifest-sha256.txt")

    assert found(disk) == (1, [("+", f"{FIRST.path}/")])


def test_another_manifest_than_the_registered_one_is_a_mismatch(disk: Archive) -> None:
    disk.put(f"bags/{FIRST.path}/bag-info.txt", b"External-Identifier: b1\n")

    code, signs = found(disk)

    assert (code, ("*", f"{FIRST.path}/bag-info.txt") in signs) == (1, True)


def test_a_size_that_is_not_the_verified_one_is_found_without_reading(disk: Archive, engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO evidence (bag_version_id, location_id, path, key, outcome, evidence_class, expected,"
                " measured, bytes, started_at, microseconds, worker, build, attempt) SELECT id, 'there', 'data/a.txt',"
                " 'k', 'match', 'E3', '{}', '{}', 3, now(), 1, 'w', 'b', 1 FROM bag_versions"
                " WHERE external_identifier = 'b2'"
            )
        )
    assert found(disk) == (0, [])
    disk.put(f"bags/{SECOND.path}/data/a.txt", b"aaaa")

    assert found(disk) == (1, [("*", f"{SECOND.path}/data/a.txt")])


@pytest.mark.parametrize(
    ("target", "bags"),
    [("space/b1", 1), ("space/b1/v1", 1), ("space/b1/v2", 0), ("space", 2), ("other", 0), ("there", 2)],
)
def test_a_target_is_a_bag_a_space_or_a_location(disk: Archive, target: str, bags: int) -> None:
    result = disk.check(target, "-o", "json")

    assert json.loads(result.stdout)["summary"]["bagVersions"] == bags
    assert result.exit_code == 0


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(disk: Archive) -> None:
    def read(seed: str) -> list[str]:
        lines = disk.check("--sample", "30%", "--seed", seed, "--all", "-o", "json").stdout.splitlines()
        return [one["key"] for one in map(json.loads, lines) if one.get("read")]

    assert read("a") == read("a")
    assert 0 < len(read("a")) < 2 * PER_BAG
    assert read("a") != read("b")


@pytest.mark.parametrize("order", [[], ["--oldest-first"]])
def test_a_check_goes_on_behind_the_last_bag_that_it_finished(disk: Archive, tmp_path: Path, order: list[str]) -> None:
    state = tmp_path / "state.json"
    disk.put(f"bags/{FIRST.path}/data/too many", b"")
    words = [*order, "--state", str(state)]

    stopped = found(disk, "--max-duration", "0", *words)
    first = json.loads(disk.check("-o", "json", *words).stdout.splitlines()[-1])
    kept = state.exists()

    assert stopped == (5, [])
    assert (first["summary"]["bagVersions"], first["summary"]["orphan"]) == (2, 1)
    assert not kept


def test_a_place_that_was_kept_is_gone_on_from(disk: Archive, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    disk.put(f"bags/{FIRST.path}/data/too many", b"")
    disk.check("--max-duration", "0", "--state", str(state), "--read")
    name = Wish(Target(), READ).name()
    state.write_text(json.dumps({"check": name, "done": {"there": [f"bags/{FIRST.path}/"]}, "finished": []}))

    rest = disk.check("-o", "json", "--state", str(state), "--read")
    other = disk.check("--state", str(_kept(state, name)), "--list")

    assert json.loads(rest.stdout)["summary"]["bagVersions"] == 1
    assert (other.exit_code, "is of another check" in other.stderr) == (2, True)


def _kept(state: Path, name: str) -> Path:
    state.write_text(json.dumps({"check": name, "done": {}, "finished": []}))
    return state


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--list", "--read"], 2, "exclude each other"),
        (["--sample", "0%"], 2, "is no share"),
        (["--max-duration", "soon"], 2, "is no duration"),
        (["--at", "nowhere"], 2, "known are there"),
    ],
)
def test_what_cannot_be_understood_is_refused(disk: Archive, words: list[str], code: int, told: str) -> None:
    result = disk.check(*words)

    assert (result.exit_code, told in result.stderr) == (code, True)


def test_a_ledger_that_does_not_answer_is_told(disk: Archive) -> None:
    disk.dsn = "postgresql://nobody@127.0.0.1:1/nothing"

    result = disk.check()

    assert (result.exit_code, "cannot be reached: the ledger" in result.stderr) == (3, True)
