"""Every single fault, and every pair of faults, for one bag of one file.

The places are those of a run in which nothing goes wrong; for the second fault of a pair, those that come after the
first one in the run that has it. Singles take every kind of fault at every place. Pairs take the kinds that change what
happens next, each where it differs from its neighbours: a process that dies before a request is as good as one that
died after the one before, so deaths are paired at commits and around what changes something outside. A pair whose
second place is not reached after the first fault is that first fault alone, and is not run again.

All runs are one tree: they are the same up to the first fault, and pairs with the same first one up to the second. What
is the same happens once (`simulation.branching`).

Pairs may be run in parts: part 3 of 20 is every twentieth first fault from the third on, with all that can follow it.
"""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from invariants import Violation
from simulation.branching import Branches
from simulation.decisions import Decisions, Fault, Question, Script
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
_LINES = 10
"""Of progress."""

Place = tuple[int, str]
"""Number of the question, and the kind of fault."""


@dataclass(slots=True)
class Told:
    """What a number of scripts came to."""

    singles: int = 0
    pairs: int = 0
    failed: list[tuple[Script, str]] = field(default_factory=list)

    def join(self, other: Told) -> None:
        self.singles += other.singles
        self.pairs += other.pairs
        self.failed += other.failed


@dataclass(frozen=True, slots=True)
class Task:
    """Faults at whose places a run parts from the one in which nothing goes wrong."""

    at: int
    """The last question before them, or their own, that is asked outside of a transaction."""
    alone: tuple[Place, ...]
    paired: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Ran:
    wrong: list[str]
    questions: list[Question]


def explore(*, processes: int, part: int = 0, parts: int = 1) -> int:
    """All singles, and the pairs of this part; 1 where one breaks a promise."""
    began = time.monotonic()
    (first,) = in_processes(places, processes=1, tasks=["clean"])
    heads = [(q.number, kind) for q in first for kind in _PAIRED.get(q.site, ())]
    mine = set(heads[part % parts :: parts])
    todo, told = tasks(first, mine), Told()
    for number, found in enumerate(in_processes(run_task, processes=processes, tasks=todo), start=1):
        told.join(found)
        if number * _LINES // len(todo) != (number - 1) * _LINES // len(todo):
            took = time.monotonic() - began
            print(f"  {number} of {len(todo)} tasks, {told.singles} + {told.pairs} runs, {took:.0f} s", flush=True)
    took = time.monotonic() - began
    print(
        f"{told.singles} single faults at {len(first)} places, {told.pairs} pairs of {len(mine)} of {len(heads)} first"
        f" faults (part {part % parts} of {parts}): {took:.0f} s, {(told.singles + told.pairs) / took:.1f}/s,"
        f" {len(told.failed)} failing"
    )
    for script, why in told.failed[:10]:
        print(f"  {script}: {why}")
    return 1 if told.failed else 0


def places(ledger: Ledger, _task: str) -> list[Question]:
    """Where something could go wrong in a run in which nothing does."""
    return run_script(ledger, {})[1]


def tasks(clean: list[Question], paired: set[Place]) -> list[Task]:
    """The single faults of a run in which nothing goes wrong, and those of them that others shall follow."""
    found = []
    for at, questions in _parting(clean).items():
        alone = tuple((question.number, kind) for question in questions for kind in question.kinds)
        found.append(Task(at, alone, tuple(place for place in alone if place in paired)))
    return found


def _parting(questions: Iterable[Question]) -> dict[int, list[Question]]:
    """By the last question that is asked outside of a transaction: only there can a run part from another."""
    found, last = defaultdict[int, list[Question]](list), 0
    for question in questions:
        last = last if question.inside else question.number
        found[last].append(question)
    return dict(found)


def run_task(ledger: Ledger, task: Task) -> Told:
    if not ledger.transactions:
        _rehearse(ledger)
    ledger.forget()
    with ledger.undone():
        branches = Branches(ledger)
        told: Told | None = branches.part()
        if told is None:
            branches.answer(_run(ledger, {}, lambda decisions: _singles(branches, task, decisions)))
    assert isinstance(told, Told), f"the run did not come to question {task.at}: {told}"
    return told


def _singles(branches: Branches, task: Task, decisions: Decisions) -> None:
    """At the place where they part: every single fault, and where it is one of those, all that can follow it."""
    if decisions.asked != task.at:
        return
    told = Told()
    for place in task.alone:
        script = {place[0]: Fault(place[1], 0.7)}
        alone: _Ran | None = branches.part()
        if alone is None:
            decisions.go_on(script, questions=[])
            return
        told.singles += 1
        told.failed += [(script, why) for why in alone.wrong[:1]]
        if place not in task.paired:
            continue
        followed: Told | None = branches.part()
        if followed is None:
            _followed(branches, decisions, script, _seconds(script, alone.questions))
            return
        assert isinstance(followed, Told), f"the run with {script} did not go on as it did alone: {followed.wrong}"
        told.join(followed)
    branches.answer(told)


def _seconds(first: Script, questions: list[Question]) -> dict[int, list[Script]]:
    """By the question where they part: the first fault with every other that can come after it."""
    (number,) = first
    found = {}
    for at, here in _parting(questions).items():
        scripts = [
            {**first, question.number: Fault(kind, 0.7)}
            for question in here
            if question.number > number
            for kind in _PAIRED.get(question.site, ())
        ]
        if scripts:
            found[at] = scripts
    return found


def _followed(branches: Branches, decisions: Decisions, first: Script, seconds: dict[int, list[Script]]) -> None:
    """Go on with the first fault, and let each of the second ones come to pass in a branch of its own."""
    told = Told()

    def parting(decisions: Decisions) -> None:
        for script in seconds.pop(decisions.asked, ()):
            ran: _Ran | None = branches.part()
            if ran is None:
                decisions.go_on(script)
                return
            told.pairs += 1
            told.failed += [(script, why) for why in ran.wrong[:1]]
        if not seconds:
            branches.answer(told)

    decisions.go_on(first, parting=parting)
    parting(decisions)


def _run(ledger: Ledger, script: Script, parting: Callable[[Decisions], None] | None) -> _Ran:
    try:
        result = Simulation(0, ledger, shape=smallest(), script=script, keep_questions=True, parting=parting).run()
    except BaseException:
        return _Ran([traceback.format_exc()], [])
    return _Ran(list(map(str, result.violations)), result.questions)


def _rehearse(ledger: Ledger) -> None:
    """Have the statements prepared that will be wanted: branches share them, and cannot add to them."""
    ways = {(q.site, kind): q.number for q in places(ledger, "") for kind in _PAIRED.get(q.site, ())}
    for (_, kind), number in ways.items():
        run_script(ledger, {number: Fault(kind, 0.7)})


def run_script(
    ledger: Ledger, script: Script, *, trace: Callable[[str], None] | None = None
) -> tuple[list[Violation], list[Question]]:
    """One run by itself, on a ledger in which nothing has happened yet."""
    ledger.forget()
    result = Simulation(0, ledger, shape=smallest(), script=script, keep_questions=True, trace=trace).run()
    return result.violations, result.questions
