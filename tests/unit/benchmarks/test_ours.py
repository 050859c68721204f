"""Our own part in the benchmark, as a process of its own beside a null server: each file comes over, by one worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.dataplane.clients.catalogue import environment
from benchmarks.dataplane.clients.ours import _Queue
from benchmarks.dataplane.null_server import compile_null_server
from benchmarks.dataplane.scenes import NullScene
from benchmarks.dataplane.stores import Task
from benchmarks.dataplane.workloads import Shape, Workload, make, read_items

ROOT = Path(__file__).resolve().parents[3]
SHAPE = Shape("few", "9 small files in 3 bags", 3, ((3, 10, 2000),))
Run = Callable[[], subprocess.CompletedProcess[str]]
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@pytest.fixture
def files(tmp_path: Path) -> Workload:
    return make(SHAPE, tmp_path)


@pytest.fixture(params=["s3", "azure"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, files: Workload) -> Iterator[NullScene]:
    with NullScene(request.param, program=compile_null_server(tmp_path), root=tmp_path) as scene:
        yield scene


@pytest.fixture
def run(scene: NullScene, files: Workload, tmp_path: Path) -> Run:
    task = Task(scene.source, scene.destination, SHAPE.prefix, str(files.items), str(files.manifest), concurrency=4)
    task.write(tmp_path / "task.json")

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "benchmarks.dataplane.clients.ours", str(tmp_path / "task.json")]
        told = {**os.environ, **environment(task)}
        return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, timeout=60, check=False)

    return run


@needs_gcc
def test_every_file_is_copied_and_read_back_once(run: Run, scene: NullScene) -> None:
    scene.take_counts()
    ended = run()

    assert (ended.returncode, ended.stderr) == (0, "")
    asked = scene.take_counts()
    assert (asked["GET"], asked["PUT"], asked["LIST"]) == (2 * SHAPE.files, SHAPE.files, 1)


@needs_gcc
def test_a_file_that_one_of_the_workers_finds_wrong_fails_the_run(run: Run, files: Workload) -> None:
    for item in read_items(files.items)[:: SHAPE.files // SHAPE.bags]:
        right = files.manifest.read_text()
        files.manifest.write_text(right.replace(item.sha256, "0" * 64))
        ended = run()
        files.manifest.write_text(right)
        assert ended.returncode != 0
        assert "source corrupt" in ended.stderr


def test_a_number_is_taken_by_one_process() -> None:
    queue = _Queue(_Queue.MOST)
    taken = [os.pipe() for _ in range(3)]
    processes = []
    for _, writing in taken:
        if not (process := os.fork()):
            with os.fdopen(writing, "wb") as told:
                told.write(b" ".join([b"%d" % number for number in queue]))
            os._exit(0)
        os.close(writing)
        processes.append(process)
    numbers = [int(number) for reading, _ in taken for number in os.fdopen(reading, "rb").read().split()]
    for process in processes:
        os.waitpid(process, 0)

    assert sorted(numbers) == list(range(_Queue.MOST))
