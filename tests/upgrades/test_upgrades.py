"""Upgrading while others work: from the first schema, with rows in every state, beside the release before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from common.ledger import dead_letters, reaper
from common.ledger.beginning import begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import open_engine, transaction
from common.ledger.migrations import upgrade
from common.ledger.settling import settle
from common.outcome import Done
from common.topology import COPYING
from upgrades.working import work

ROOT = Path(__file__).resolve().parents[2]
ROWS = (Path(__file__).parent.parent / "samples" / "rows_of_0001.sql").read_text("utf-8")
SCHEMAS = "libs/common/src/common/ledger/migrations/versions"
PATIENCE = Patience()


@pytest.fixture
def old_database(empty_database: str) -> str:
    """A ledger of the first schema with rows in every state."""
    upgrade(empty_database, to="0001")
    engine = open_engine(empty_database, name="test")
    with transaction(engine) as connection:
        connection.exec_driver_sql(ROWS)
    engine.dispose()
    return empty_database


def contents(engine: Engine, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    with transaction(engine) as connection:
        return {
            table: [
                tuple(row) for row in connection.execute(text(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1, 2"))
            ]
            for table, names in columns.items()
        }


def columns_of(engine: Engine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND table_name <> 'alembic_version' ORDER BY table_name, ordinal_position"
            )
        )
        for table, column in rows:
            found.setdefault(table, []).append(f'"{column}"')
    return found


def test_an_upgrade_keeps_every_row_as_it_was(old_database: str) -> None:
    engine = open_engine(old_database, name="test")
    columns = columns_of(engine)
    before = contents(engine, columns)

    upgrade(old_database)

    after = contents(engine, columns)
    assert {table for table, rows in before.items() if not rows} == {"import_problems"}, "a sample lacks rows"
    assert after == before
    engine.dispose()


def test_an_upgrade_waits_for_a_transaction_that_is_open_and_lets_others_work_meanwhile(old_database: str) -> None:
    engine = open_engine(old_database, name="test")
    upgrading = threading.Thread(target=upgrade, args=(old_database,))
    longest = 0.0
    with engine.connect() as slow:
        slow.execute(text("UPDATE segments SET progress = '{}' WHERE id = (SELECT min(id) FROM segments)"))
        upgrading.start()
        for _ in range(4):
            started = time.monotonic()
            with transaction(engine) as connection:
                connection.execute(text("UPDATE replicas SET progress = '{}' WHERE bag_version_id = 1"))
                connection.execute(
                    text("UPDATE segments SET progress = '{}' WHERE id = (SELECT max(id) FROM segments)")
                )
                connection.execute(text("INSERT INTO outbox (queue, body) VALUES ('q', 'b')"))
            longest = max(longest, time.monotonic() - started)
            upgrading.join(0.3)
        waited = upgrading.is_alive()
        slow.commit()
    upgrading.join(60)

    assert waited
    assert not upgrading.is_alive()
    assert longest < 4, "a migration may hold others up for two seconds at a time"
    engine.dispose()


def test_rows_of_the_first_schema_reach_their_end_under_this_release(old_database: str) -> None:
    upgrade(old_database)
    engine = open_engine(old_database, name="test")
    with transaction(engine) as connection:
        reaper.reap(connection, patience=PATIENCE)

    work(engine, "new")

    with transaction(engine) as connection:
        ends = connection.execute(text("SELECT status, count(*) FROM ingests GROUP BY 1")).all()
        letters = dead_letters.page(connection, limit=10)
        proven = connection.execute(
            text("SELECT count(*) FROM bag_locations WHERE location_id = 'azure' AND evidence_class = 'E3'")
        ).scalar_one()
    assert {row[0]: row[1] for row in ends} == {"succeeded": 8, "failed": 1}
    assert proven == 8
    assert [(letter.stage, letter.resolution) for letter in letters] == [("planning", None), ("copying", None)]
    engine.dispose()


def test_a_claim_that_was_taken_before_the_upgrade_is_good_after_it(old_database: str) -> None:
    engine = open_engine(old_database, name="test")
    with transaction(engine) as connection:
        row_id = connection.execute(
            text("SELECT id FROM segments WHERE state = 'copying' AND replica_id = 2")
        ).scalar_one()
        connection.execute(
            text(
                "UPDATE segments SET fence = 8, attempts = 1, claimed_by = 'old',"
                " lease_until = now() + interval '1 minute' WHERE id = :id"
            ),
            {"id": row_id},
        )
    upgrade(old_database)
    with transaction(engine) as connection:
        assert begin(connection, stage=COPYING, row_id=row_id, worker="new", patience=PATIENCE) is None
        settle(connection, Claim(COPYING, row_id, 8, 1, "old"), Done(""), patience=PATIENCE, build="old")
        assert connection.execute(text("SELECT state FROM segments WHERE id = :id"), {"id": row_id}).scalar_one() == (
            "verifying"
        )
    engine.dispose()


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, timeout=20).stdout


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of `common` as they were when the first schema was the newest."""
    try:
        added = git("log", "--format=%H", "--diff-filter=A", "--reverse", "--", SCHEMAS).decode().split()
        sources = git("archive", f"{added[1]}^", "libs/common/src")
    except (OSError, subprocess.SubprocessError, IndexError):
        pytest.skip("the release before is taken from git's history, and there is none here (or not enough of it)")
    where = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-x", "-C", where], input=sources, check=True)
    assert [path.name[:4] for path in (where / SCHEMAS).glob("0*.py")] == ["0001"]
    return where / "libs/common/src"


@pytest.mark.slow
def test_workers_of_the_release_before_and_of_this_one_finish_the_same_bags_together(
    old_database: str, release_before: Path
) -> None:
    upgrade(old_database)
    engine = open_engine(old_database, name="test")
    program = [sys.executable, str(Path(__file__).parent / "working.py"), old_database]
    paths = {"old": str(release_before), "new": str(ROOT / "libs/common/src")}
    running = {
        name: subprocess.Popen(
            [*program, name],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, path in paths.items()
    }
    for process in running.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in running.values():
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    settled = {name: process.communicate(timeout=40)[0] for name, process in running.items()}

    with transaction(engine) as connection:
        ends = connection.execute(text("SELECT status, count(*) FROM ingests GROUP BY 1")).all()
    assert {row[0]: row[1] for row in ends} == {"succeeded": 8, "failed": 1}
    assert {name: int(number) > 0 for name, number in settled.items()} == {"old": True, "new": True}
    engine.dispose()


def test_this_release_leaves_a_newer_schema_as_it_is(database: str) -> None:
    engine = open_engine(database, name="test")
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    upgrade(database)

    with transaction(engine) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    engine.dispose()


def test_many_services_that_start_at_once_migrate_once(empty_database: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            upgrade(empty_database)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
