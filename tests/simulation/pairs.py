"""Every single fault, and every pair of faults, for one bag of one file.

The places are those of a run in which nothing goes wrong; for the second fault of a pair, those that come after the
first one in the run that has it. Singles take every kind of fault at every place. Pairs take the kinds that change what
happens next, each where it differs from its neighbours: a process that dies before a request is as good as one that
died after the one before, so deaths are paired at commits and around what changes something outside. A pair whose
second place is not reached after the first fault is that first fault alone, and is not run again.

Pairs may be run in parts: part 3 of 20 is every twentieth first fault from the third on, with all that can follow it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from invariants import Violation
from simulation.decisions import Fault, Question, Script
from simulation.ledger import Ledger
from simulation.run import Simulation
from simulation.servers import in_processes
from simulation.shapes import smallest

_PAIRED = {
    "commit": ("kill", "kill_after_commit", "ledger_keeps_silent"),
    "create": ("kill_after", "store_keeps_silent"),
    "message": ("message_lost", "message_twice"),
    "publish": ("kill",),
    "ack": ("kill", "broker_keeps_silent"),
}
"""Where pairs are made of, and of what."""
_IN_A_TASK = 40
_LINES = 5
"""Of progress, for each of singles and pairs."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a number of scripts came to."""

    runs: int
    failed: list[tuple[Script, str]]


def explore(*, processes: int, part: int = 0, parts: int = 1) -> int:
    """All singles, then the pairs of this part; 1 where one breaks a promise."""
    began = time.monotonic()
    (first,) = in_processes(places, processes=1, tasks=["clean"])
    ones: list[Script] = [{q.number: Fault(kind, 0.7)} for q in first for kind in q.kinds]
    code = _all("single faults", _tasks(ones, "run"), processes=processes)
    heads = [(q.number, kind) for q in first for kind in _PAIRED.get(q.site, ())]
    mine = heads[part % parts :: parts]
    name = f"pairs of faults, {len(mine)} of {len(heads)} first ones (part {part % parts} of {parts})"
    code |= _all(name, [("pairs", [head]) for head in mine], processes=processes)
    print(f"{len(first)} places, {time.monotonic() - began:.0f} s")
    return code


def _tasks(scripts: list[Script], what: str) -> list[tuple[str, list[Script]]]:
    return [(what, scripts[start : start + _IN_A_TASK]) for start in range(0, len(scripts), _IN_A_TASK)]


def _all(name: str, tasks: list[tuple[str, list[object]]], *, processes: int) -> int:
    began, runs, failed = time.monotonic(), 0, list[tuple[Script, str]]()
    for number, told in enumerate(in_processes(run_task, processes=processes, tasks=tasks), start=1):
        runs += told.runs
        failed += told.failed
        if number * _LINES // len(tasks) != (number - 1) * _LINES // len(tasks):
            print(f"  {number} of {len(tasks)} tasks, {runs} runs, {time.monotonic() - began:.0f} s", flush=True)
    took = time.monotonic() - began
    print(f"{name}: {runs} runs in {took:.0f} s ({runs / took:.1f}/s), {len(failed)} failing", flush=True)
    for script, why in failed[:10]:
        print(f"  {script}: {why}")
    return 1 if failed else 0


def places(ledger: Ledger, _task: str) -> list[Question]:
    """Where something could go wrong in a run in which nothing does."""
    return run_script(ledger, {})[1]


def run_task(ledger: Ledger, task: tuple[str, list[object]]) -> Told:
    what, items = task
    scripts = items if what == "run" else [s for head in items for s in _with_second(ledger, *head)]
    failed = [(script, str(found[0])) for script in scripts if (found := run_script(ledger, script)[0])]
    return Told(len(scripts), failed)


def _with_second(ledger: Ledger, number: int, kind: str) -> list[Script]:
    """This fault with every other that can come after it."""
    _, questions = run_script(ledger, {number: Fault(kind, 0.7)})
    return [
        {number: Fault(kind, 0.7), question.number: Fault(second, 0.7)}
        for question in questions
        if question.number > number
        for second in _PAIRED.get(question.site, ())
    ]


def run_script(ledger: Ledger, script: Script) -> tuple[list[Violation], list[Question]]:
    ledger.forget()
    result = Simulation(0, ledger, shape=smallest(), script=script, keep_questions=True).run()
    return result.violations, result.questions
