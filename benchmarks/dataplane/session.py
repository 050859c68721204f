"""One session of measuring: workloads, scenes, then what belongs to no scene, then the conclusion."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.dataplane.concluding import COPYING, LATENCY_MS, Options, Results, conclude
from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.measuring import elsewhere
from benchmarks.dataplane.null_server import compile_null_server
from benchmarks.dataplane.rounds import measure, trust
from benchmarks.dataplane.scenes import NullScene, RealScene, Scene
from benchmarks.dataplane.stores import Task
from benchmarks.dataplane.whole import measure_whole
from benchmarks.dataplane.workloads import QUICK_SHAPES, SHAPES, Workload, make

_WORKLOADS = {
    "null": ("w1", "w2", "w4", "w3", "w5"),
    "latency": ("w1",),
    "real": ("w1", "w2", "w4", "w3", "w5"),
    "tls": ("w1", "w2", "w4", "w3"),
}
"""Which make sense where."""


def run_all(options: Options) -> bool:
    """Measure, report, compare. True where a ratio is worse than the baseline allows.

    Raises CannotMeasure, when what was measured before has been reported.
    """
    results, problem = Results(), None
    with _room() as room:
        made = {name: _made(name, options, room) for name in options.workloads}
        try:
            _measure_scenes(options, made, room, results)
            results.whole = measure_whole(
                options.scenes, rounds=options.rounds, quick=options.quick, bags=options.bags, say=say
            )
        except KeyboardInterrupt:
            say("Interrupted: reporting what was measured until now")
        except CannotMeasure as error:
            problem = error
            say(f"Reporting what was measured until this: {error}")
    worse = conclude(options, results, say=say)
    if problem:
        raise problem
    return worse


def say(text: str) -> None:
    """Told at once."""
    print(text, flush=True)


@contextmanager
def _room() -> Iterator[Path]:
    """A directory in memory where there is one, so that no disk is measured."""
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-bench-", dir=shared if shared.is_dir() else None))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _made(name: str, options: Options, room: Path) -> Workload:
    shape = (QUICK_SHAPES if options.quick else SHAPES)[name]
    say(f"Making {name}: {shape.story}")
    return elsewhere(make, shape, room)


def _measure_scenes(options: Options, made: dict[str, Workload], room: Path, results: Results) -> None:
    program = compile_null_server(room)
    if program is None:
        say("There is no gcc, so no null server: only real servers are measured. Install gcc to see the clients alone.")
    for name in [name for name in options.scenes if name in COPYING]:
        scene = _scene(name, program, room, options.repository)
        wanted = [made[w] for w in _WORKLOADS.get(name.partition("-")[0], ()) if w in made]
        if scene is None or not wanted:
            continue
        with scene:
            if scene.real:
                results.ceilings[name] = _ceiling(scene, room)
            for workload in wanted:
                rounds = measure(scene, workload, rounds=options.rounds, room=room, say=say)
                results.runs += rounds


def _scene(name: str, program: Path | None, room: Path, repository: Path) -> Scene | None:
    what, _, kind = name.partition("-")
    if what in ("real", "tls"):
        return RealScene(kind, root=room, repository=repository, tls=what == "tls")
    if what not in ("null", "latency") or program is None:
        return None
    return NullScene(kind, program=program, root=room, latency_ms=LATENCY_MS if what == "latency" else 0)


def _ceiling(scene: Scene, room: Path) -> dict[str, float]:
    scene.empty()
    task = Task(scene.source, scene.destination, prefix="", items="", manifest="", concurrency=16)
    task.write(room / "ceiling.json")
    command = [sys.executable, "-m", "benchmarks.dataplane.ceilings", str(room / "ceiling.json")]
    environment = {**os.environ, **trust(scene)}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    rates: dict[str, float] = json.loads(done.stdout)
    return rates
