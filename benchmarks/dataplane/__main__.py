"""make bench: everything side by side; writes benchmarks/out and ends with one line per bar.

Status 1: a ratio fell more than a fifth below the baseline. A missed bar is told, and does not fail the run. What the
baseline and the run do not both have is told, and does not fail it either.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.dataplane.concluding import SCENES, Options, conclude, earlier_plots, read_results
from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.peers import install_peers
from benchmarks.dataplane.rounds import names
from benchmarks.dataplane.session import run_all, say
from benchmarks.dataplane.workloads import SHAPES

BENCHMARKS = Path(__file__).resolve().parents[1]


def main(words: Sequence[str] | None = None) -> None:
    """The command line; `words` in place of the process's own."""
    try:
        given = _parser().parse_args(words)
        worse = _judge_again(given) if given.judge else _measure(given)
    except (CannotMeasure, ValueError) as error:
        sys.exit(f"make bench: {error}")
    sys.exit(1 if worse else 0)


def _measure(given: argparse.Namespace) -> bool:
    # Asked to stop, it reports what it has and leaves nothing in memory.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options = _options(given)
    install_peers()
    return run_all(options)


def _judge_again(given: argparse.Namespace) -> bool:
    options, results = read_results(given.judge, out=given.out, baseline=given.baseline, repository=BENCHMARKS.parent)
    return conclude(
        replace(options, update_baseline=given.update_baseline and not options.quick),
        results,
        say=say,
        draw=earlier_plots,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--workloads", default="", help=f"of {' '.join(SHAPES)}; default all")
    parser.add_argument("--scenes", default="", help=f"of {' '.join(SCENES)}; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bags", type=int, default=3000, help="that the scene import imports; an archive has 260000")
    parser.add_argument("--quick", action="store_true", help="small workloads: to see that it runs, not to judge")
    parser.add_argument("--update-baseline", action="store_true", help="keep this run's ratios as the baseline")
    parser.add_argument("--judge", type=Path, metavar="RESULTS.JSON", help="judge an earlier run, and measure nothing")
    parser.add_argument("--out", type=Path, default=BENCHMARKS / "out", help="directory of results and report")
    parser.add_argument("--baseline", type=Path, default=BENCHMARKS / "baseline.json")
    return parser


def _options(given: argparse.Namespace) -> Options:
    if given.rounds < 1:
        raise ValueError(f"ROUNDS is {given.rounds}, must be 1 or more")
    if given.quick and given.update_baseline:
        raise ValueError("a quick run cannot be the baseline; leave out QUICK=1")
    return Options(
        workloads=names(given.workloads, list(SHAPES)),
        scenes=names(given.scenes, SCENES),
        rounds=given.rounds,
        quick=given.quick,
        update_baseline=given.update_baseline,
        out=given.out,
        baseline=given.baseline,
        repository=BENCHMARKS.parent,
        bags=given.bags,
    )


if __name__ == "__main__":
    main()
