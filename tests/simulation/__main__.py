"""python -m simulation (from tests/): seeds in their thousands, one seed in detail, mutants, or all pairs of faults."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from simulation.campaign import replay, search
from simulation.decisions import KINDS
from simulation.mutants import MUTANTS, hunt
from simulation.pairs import explore

_MANY = 600
"""Seeds in which every kind of fault must have happened: one that never does tests nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("what", choices=("seeds", "replay", "mutants", "pairs"))
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=0, help="stop searching after so many; 0: when all are done")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--mutant", default="", help="with this mechanism broken; for mutants: only this one")
    parser.add_argument("--part", type=int, default=0, help="of the pairs, which part")
    parser.add_argument("--parts", type=int, default=1, help="of how many; 1: all pairs")
    options = parser.parse_args()
    if options.what == "replay":
        return replay(options.first, mutant=options.mutant)
    if options.what == "mutants":
        chosen = [options.mutant] if options.mutant else list(MUTANTS)
        return hunt(chosen, processes=options.processes)
    if options.what == "pairs":
        return explore(processes=options.processes, part=options.part, parts=options.parts)
    return _search(options)


def _search(options: argparse.Namespace) -> int:
    began = time.monotonic()
    found = search(
        first=options.first,
        seeds=options.seeds,
        seconds=options.seconds,
        processes=options.processes,
        mutant=options.mutant,
    )
    took = time.monotonic() - began
    print(
        f"{found.seeds} seeds in {took:.0f} s ({found.seeds / took:.1f}/s): {found.kills} kills, "
        f"{found.faults} faults, {found.days:.0f} days, {len(found.failed)} failing seeds"
    )
    print("faults: " + ", ".join(f"{found.done[kind]} {kind}" for kind in KINDS))
    print("ingests: " + ", ".join(f"{number} {end}" for end, number in Counter(found.ends).most_common()))
    for seed, told in found.failed[:10]:
        print(f"seed {seed}: {told}\n  replay: make simulate SEED={seed}", file=sys.stderr)
    never = [kind for kind in KINDS if not found.done[kind]] if found.seeds >= _MANY else []
    if never:
        print(f"never happened in {found.seeds} seeds: {', '.join(never)}", file=sys.stderr)
    return 1 if found.failed or never else 0


if __name__ == "__main__":
    sys.exit(main())
