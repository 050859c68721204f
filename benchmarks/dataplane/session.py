"""One session of measuring: workloads, scenes, then what belongs to no scene, then the report."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.dataplane import baseline, report
from benchmarks.dataplane.bars import Verdict, judge
from benchmarks.dataplane.figures import Run, ratios, summaries
from benchmarks.dataplane.measures import all_measures
from benchmarks.dataplane.null_server import compile_null_server
from benchmarks.dataplane.rounds import measure
from benchmarks.dataplane.scenes import NullScene, RealScene, Scene
from benchmarks.dataplane.stores import Task
from benchmarks.dataplane.whole import Whole, measure_whole
from benchmarks.dataplane.workloads import QUICK_SHAPES, SHAPES, Workload, make

COPYING = ["null-s3", "null-azure", "latency-s3", "latency-azure", "real-s3", "real-azure"]
SCENES = [*COPYING, "planning", "sparse", "pipeline", "api", "import"]
LATENCY_MS = 20.0
_WORKLOADS = {"null": ("w1", "w2", "w4", "w3", "w5"), "latency": ("w1",), "real": ("w1", "w2", "w4", "w5")}
"""Which make sense where: real servers are the limit for large files."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `make bench` was asked for."""

    workloads: Sequence[str]
    scenes: Sequence[str]
    rounds: int
    quick: bool
    update_baseline: bool
    out: Path
    baseline: Path
    repository: Path
    bags: int = 3000
    """That the scene "import" imports."""


@dataclass(slots=True)
class Results:
    """What was measured so far."""

    runs: list[Run] = field(default_factory=list)
    ceilings: dict[str, dict[str, float]] = field(default_factory=dict)
    whole: Whole = field(default_factory=Whole)


def run_all(options: Options) -> bool:
    """Measure, report, compare. True where a ratio is worse than the baseline allows."""
    results = Results()
    with _room() as room:
        made = {name: _made(name, options, room) for name in options.workloads}
        try:
            _measure_scenes(options, made, room, results)
            results.whole = measure_whole(
                options.scenes, rounds=options.rounds, quick=options.quick, bags=options.bags, say=_say
            )
        except KeyboardInterrupt:
            _say("Interrupted: reporting what was measured until now")
    return _conclude(options, made, results)


def _say(text: str) -> None:
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
    _say(f"Making {name}: {shape.story}")
    return make(shape, room)


def _measure_scenes(options: Options, made: dict[str, Workload], room: Path, results: Results) -> None:
    program = compile_null_server(room)
    if program is None:
        _say(
            "There is no gcc, so no null server: only real servers are measured. Install gcc to see the clients alone."
        )
    for name in [name for name in options.scenes if name in COPYING]:
        scene = _scene(name, program, room, options.repository)
        wanted = [made[w] for w in _WORKLOADS.get(name.partition("-")[0], ()) if w in made]
        if scene is None or not wanted:
            continue
        with scene:
            if name.startswith("real"):
                results.ceilings[name] = _ceiling(scene, room)
            for workload in wanted:
                rounds = measure(scene, workload, rounds=options.rounds, room=room, say=_say)
                results.runs += rounds


def _scene(name: str, program: Path | None, room: Path, repository: Path) -> Scene | None:
    what, _, kind = name.partition("-")
    if what == "real":
        return RealScene(kind, root=room, repository=repository)
    if what not in ("null", "latency") or program is None:
        return None
    return NullScene(kind, program=program, root=room, latency_ms=LATENCY_MS if what == "latency" else 0)


def _ceiling(scene: Scene, room: Path) -> dict[str, float]:
    scene.empty()
    task = Task(scene.source, scene.destination, prefix="", items="", manifest="", concurrency=16)
    task.write(room / "ceiling.json")
    command = [sys.executable, "-m", "benchmarks.dataplane.ceilings", str(room / "ceiling.json")]
    rates: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return rates


def _conclude(options: Options, made: dict[str, Workload], results: Results) -> bool:
    found = summaries(results.runs)
    objects = {name: workload.shape.files for name, workload in made.items()}
    measures = all_measures(found, objects=objects, latency_ms=LATENCY_MS, extras=results.whole.measures)
    verdicts = [
        verdict for verdict in judge(measures) if verdict.value is not None or len(options.scenes) == len(SCENES)
    ]
    known = {} if options.quick else baseline.read_baseline(options.baseline)
    kept = {**ratios(found), **results.whole.measures}
    worse = baseline.regressions(known, kept)
    options.out.mkdir(exist_ok=True)
    _write_results(options, measures, results)
    from benchmarks.dataplane.plots import draw

    facts = report.Facts(
        machine=_machine(options),
        stories={name: workload.shape.story for name, workload in made.items()},
        objects=objects,
        summaries=found,
        verdicts=verdicts,
        regressions=worse,
        ceilings=results.ceilings,
        plots=draw(found, options.out),
        whole=results.whole.lines,
    )
    (options.out / "report.md").write_text(report.write(facts), "utf-8")
    if options.update_baseline:
        baseline.write_baseline(options.baseline, {**known, **kept})
    _tell(options, verdicts, worse)
    return bool(worse) and not options.update_baseline


def _tell(options: Options, verdicts: Sequence[Verdict], worse: Sequence[baseline.Regression]) -> None:
    _say(f"\nThe report: {options.out / 'report.md'}")
    if options.quick:
        _say("A quick run: start-up weighs more than work, the lines below judge nothing.")
    for verdict in verdicts:
        _say(verdict.line)
    for regression in worse:
        _say(f"WORSE   {regression.line}")


def _write_results(options: Options, measures: dict[str, float], results: Results) -> None:
    everything = {
        "machine": _machine(options),
        "runs": [asdict(run) for run in results.runs],
        "ceilings": results.ceilings,
        "measures": measures,
        "whole": results.whole.lines,
    }
    (options.out / "results.json").write_text(json.dumps(everything, indent=1), "utf-8")


def _machine(options: Options) -> str:
    size = "quick workloads, " if options.quick else ""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()};"
        f" {size}{options.rounds} rounds, interleaved. Medians (least-most). Ratios above 1: we are ahead."
    )
