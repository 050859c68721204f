"""What a session comes to: measures, bars, the comparison with the baseline, the report and the exit status."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.dataplane import baseline, report
from benchmarks.dataplane.bars import Verdict, judge
from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.figures import Run, Summary, ratios, summaries
from benchmarks.dataplane.measures import all_measures
from benchmarks.dataplane.whole import Whole
from benchmarks.dataplane.workloads import QUICK_SHAPES, SHAPES

COPYING = ["null-s3", "null-azure", "latency-s3", "latency-azure", "real-s3", "real-azure", "tls-s3"]
SCENES = [*COPYING, "planning", "sparse", "million", "pipeline", "api", "import"]
LATENCY_MS = 20.0


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


Draw = Callable[[Sequence[Summary], Path], list[str]]
"""Makes plots in a directory; their names."""


def draw_plots(found: Sequence[Summary], directory: Path) -> list[str]:
    """Anew."""
    # Imported here: what the session holds in memory counts in the peak of every process that it starts.
    from benchmarks.dataplane.plots import draw

    return draw(found, directory)


def earlier_plots(_found: Sequence[Summary], directory: Path) -> list[str]:
    """Those that are there."""
    return sorted(plot.name for plot in directory.glob("*.png"))


def conclude(options: Options, results: Results, *, say: Callable[[str], None], draw: Draw = draw_plots) -> bool:
    """Write results, report and perhaps the baseline, and tell every bar. True where a ratio is worse than the
    baseline allows. A quick run is compared with nothing."""
    found = summaries(results.runs)
    shapes = QUICK_SHAPES if options.quick else SHAPES
    objects = {name: shapes[name].files for name in options.workloads}
    measures = all_measures(found, objects=objects, latency_ms=LATENCY_MS, extras=results.whole.measures)
    kept, known = {**ratios(found), **results.whole.measures}, baseline.read_baseline(options.baseline)
    compared = baseline.Comparison()
    if not options.quick:
        compared = baseline.compare(known, kept, scenes=options.scenes, workloads=options.workloads)
    facts = report.Facts(
        machine=_machine(options),
        stories={name: shapes[name].story for name in options.workloads},
        objects=objects,
        summaries=found,
        # What was measured comes last, where one looks.
        verdicts=sorted(judge(measures), key=lambda verdict: verdict.value is not None),
        compared=compared,
        ceilings=results.ceilings,
        whole=results.whole.lines,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(report.write(facts, plots=draw(found, options.out)), "utf-8")
    _write_results(options, facts.machine, measures, results)
    if options.update_baseline:
        baseline.write_baseline(options.baseline, {**known, **kept})
    _tell(options, facts.verdicts, compared, say)
    return bool(compared.worse) and not options.update_baseline


def read_results(path: Path, *, out: Path, baseline: Path, repository: Path) -> tuple[Options, Results]:
    """An earlier session, from its results.json. Raises CannotMeasure where the file is none."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        whole = Whole(kept["whole"]["measures"], kept["whole"]["lines"])
        runs = [Run(**facts) for facts in kept["runs"]]
        options = Options(**kept["asked"], update_baseline=False, out=out, baseline=baseline, repository=repository)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CannotMeasure(f"{path} is no results.json of this benchmark ({error!r}); run make bench") from None
    return options, Results(runs, kept["ceilings"], whole)


def _tell(
    options: Options, verdicts: Sequence[Verdict], compared: baseline.Comparison, say: Callable[[str], None]
) -> None:
    say(f"\nThe report: {options.out / 'report.md'}")
    if options.quick:
        say("A quick run: start-up weighs more than work, the lines below judge nothing.")
    for verdict in verdicts:
        say(verdict.line)
    for line in compared.lines:
        say(line)


def _write_results(options: Options, machine: str, measures: dict[str, float], results: Results) -> None:
    everything = {
        "machine": machine,
        "asked": {name: getattr(options, name) for name in ("workloads", "scenes", "rounds", "quick", "bags")},
        "runs": [asdict(run) for run in results.runs],
        "ceilings": results.ceilings,
        "measures": measures,
        "whole": asdict(results.whole),
    }
    (options.out / "results.json").write_text(json.dumps(everything, indent=1), "utf-8")


def _machine(options: Options) -> str:
    size = "quick workloads, " if options.quick else ""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, TCP by {_congestion_control()}, "
        # Which build it is makes up to a fifth of what small files cost.
        f"Python {platform.python_version()} of {sys.base_prefix}; "
        f"{size}{options.rounds} rounds, interleaved. Medians (least-most). Ratios above 1: we are ahead."
    )


def _congestion_control() -> str:
    """How the system paces what clients send: BBR does it by timers, also on loopback."""
    try:
        return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text("ascii").strip()
    except OSError:
        return "?"
