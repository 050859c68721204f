"""make bench: everything side by side; writes benchmarks/out and ends with one line per bar.

Status 1: a ratio fell more than a fifth below the baseline. A missed bar is told, and does not fail the run.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.peers import install_peers
from benchmarks.dataplane.rounds import names
from benchmarks.dataplane.session import SCENES, Options, run_all
from benchmarks.dataplane.workloads import SHAPES

BENCHMARKS = Path(__file__).resolve().parents[1]


def main() -> None:
    """The command line."""
    # Asked to stop, it reports what it has and leaves nothing in memory.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        options = _options()
        install_peers()
        worse = run_all(options)
    except (CannotMeasure, ValueError) as error:
        sys.exit(f"make bench: {error}")
    sys.exit(1 if worse else 0)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--workloads", default="", help=f"of {' '.join(SHAPES)}; default all")
    parser.add_argument("--scenes", default="", help=f"of {' '.join(SCENES)}; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bags", type=int, default=3000, help="that the scene import imports; an archive has 260000")
    parser.add_argument("--quick", action="store_true", help="small workloads: to see that it runs, not to judge")
    parser.add_argument("--update-baseline", action="store_true", help="keep this run's ratios as the baseline")
    given = parser.parse_args()
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
        out=BENCHMARKS / "out",
        baseline=BENCHMARKS / "baseline.json",
        repository=BENCHMARKS.parent,
        bags=given.bags,
    )


if __name__ == "__main__":
    main()
