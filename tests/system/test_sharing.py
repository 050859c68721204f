"""Two processes keep to one location's bandwidth together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.ledger.engine import open_engine, transaction
from system import sharing_process
from unit.common.ledger.builders import locations_exist


def a_process(database: str, directory: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, sharing_process.__file__, database, str(directory), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def seconds(database: str, directory: Path, *names: str) -> list[float]:
    """How long each of these processes took for its writes, all beginning together."""
    running = [a_process(database, directory, name) for name in names]
    try:
        assert [told(process) for process in running] == ["ready"] * len(running)
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()  # together: communicate() would wait for one after the other
        return [float(process.communicate(timeout=60)[0].splitlines()[-1]) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_two_processes_take_as_long_as_one_with_the_work_of_both(database: str, tmp_path: Path) -> None:
    engine = open_engine(database, name="test", pool_size=1)
    with transaction(engine) as connection:
        locations_exist(connection)
    engine.dispose()

    both = seconds(database, tmp_path, "a:1", "b:1")

    expected = 2 * sharing_process.OBJECTS * sharing_process.SIZE / 1e6
    assert max(both) > 0.85 * expected
