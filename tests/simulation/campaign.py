"""Running seeds: many of them on all cores, or one in detail, shrunk."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulation.decisions import Fault, Script
from simulation.ledger import Ledger
from simulation.mutants import MUTANTS, broken
from simulation.run import Result, Simulation
from simulation.servers import in_processes, ledger_on, server
from simulation.shapes import draw
from simulation.shrinking import shrink

BATCH = 20


@dataclass
class Found:
    """What many seeds came to."""

    seeds: int = 0
    kills: int = 0
    faults: int = 0
    days: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    """Kind of fault → how often it happened."""
    ends: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.kills += result.kills
        self.faults += len(result.injected)
        self.days += result.seconds / 86400
        self.done += result.done
        self.ends += result.ends
        if result.violations:
            self.failed.append((result.seed, str(result.violations[0])))

    def join(self, other: Found) -> None:
        self.seeds += other.seeds
        self.kills += other.kills
        self.faults += other.faults
        self.days += other.days
        self.done += other.done
        self.ends += other.ends
        self.failed += other.failed


def run_seed(ledger: Ledger, seed: int, *, script: Script | None = None, trace: Any = None, mutant: str = "") -> Result:
    """One seed, on a ledger in which nothing has happened yet; in the world of a mutant that is broken already."""
    ledger.forget()
    favours, shape = {}, None
    if mutant:
        favours, shape = MUTANTS[mutant].favours, draw(seed, **MUTANTS[mutant].world)
    return Simulation(seed, ledger, shape=shape, favours=favours, script=script, trace=trace).run()


def some_seeds(ledger: Ledger, task: tuple[int, int, float, str]) -> Found:
    first, number, until, mutant = task
    found = Found()
    with broken(mutant, ledger):
        for seed in range(first, first + number):
            if until and time.time() > until:
                break
            found.add(run_seed(ledger, seed, mutant=mutant))
    return found


def search(*, first: int, seeds: int, seconds: float, processes: int, mutant: str = "") -> Found:
    """Run the seeds, or as many as there is time for."""
    until = time.time() + seconds if seconds else 0.0
    tasks = [(start, min(BATCH, first + seeds - start), until, mutant) for start in range(first, first + seeds, BATCH)]
    found = Found()
    for part in in_processes(some_seeds, processes=processes, tasks=tasks):
        found.join(part)
    return found


def replay(seed: int, *, mutant: str = "") -> int:
    """Run one seed with its trace; where it fails, find the fewest faults that make it fail."""
    with server() as postgres, ledger_on(postgres.address) as ledger, broken(mutant, ledger):
        result = run_seed(ledger, seed, trace=print, mutant=mutant)
        if not result.violations:
            print(f"seed {seed}: {dict(result.ends)}, {len(result.injected)} faults, nothing wrong")
            return 0
        for violation in result.violations:
            print(violation)
        names = {violation.invariant for violation in result.violations}
        injected = {number: fault for number, (_, fault) in result.injected.items()}

        def fails(script: dict[int, Fault]) -> bool:
            found = run_seed(ledger, seed, script=script, mutant=mutant)
            return bool(names & {violation.invariant for violation in found.violations})

        left = shrink(injected, fails)
        print(f"\n{len(left)} of {len(injected)} faults are enough, in this order:")
        again = run_seed(ledger, seed, script=left, mutant=mutant)
        for number, (site, fault) in sorted(again.injected.items()):
            print(f"  {number}: {fault.kind} at {site} ({fault.value:.3f})")
    return 1
