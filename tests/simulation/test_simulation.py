"""The product in a simulated world keeps every promise, and the simulation itself can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import structlog

from common.ports import ObjectStore
from local_stack.servers.postgres_address import PostgresAddress
from servers.handles import fresh_name
from simulation.branching import Branches
from simulation.campaign import run_seed
from simulation.decisions import Decisions, Fault, Question
from simulation.ledger import Ledger, prepare
from simulation.mutants import MUTANTS, broken, chase
from simulation.pairs import Task, places, run_script, run_task, tasks
from simulation.run import Simulation, quieten
from simulation.shapes import smallest
from simulation.shrinking import shrink
from simulation.stores import FailingStore

SEEDS = range(20, 30)
"""Short ones; `make simulate` runs a thousand."""
EVERY = 48
"""Of the single faults, one in so many is tried here; `make pairs` tries all."""


@pytest.fixture(scope="module")
def ledger(postgres: PostgresAddress) -> Iterator[Ledger]:
    """An empty ledger in virtual time."""
    logging, name = structlog.get_config(), fresh_name("simulation")
    dsn = postgres.create_database(name)
    prepare(dsn)
    quieten()
    ledger = Ledger(dsn)
    yield ledger
    ledger.close()
    structlog.configure(**logging)
    postgres.drop_database(name)


def parted(branches: Branches, *, at: int, script: Mapping[int, Fault], story: list[str]) -> list[Question]:
    """A run that meets with no fault, until one branch of it goes on with these; what that is asked."""

    def parting(decisions: Decisions) -> None:
        if decisions.asked != at:
            return
        answer = branches.part()
        if answer is not None:
            branches.answer(answer)
        decisions.go_on(script, questions=[])

    simulation = Simulation(0, branches.ledger, shape=smallest(), script={}, parting=parting, trace=story.append)
    return simulation.run().questions


def test_every_promise_holds_whatever_goes_wrong(ledger: Ledger) -> None:
    results = {seed: run_seed(ledger, seed) for seed in SEEDS}

    failed = {seed: list(map(str, result.violations)) for seed, result in results.items() if result.violations}
    assert failed == {}, "replay one with: make simulate SEED=…"
    assert sum(len(result.injected) for result in results.values()) > 80


def test_single_faults_break_no_promise(ledger: Ledger) -> None:
    ones = [{place.number: Fault(kind, 0.7)} for place in places(ledger, "") for kind in place.kinds]

    failed = {
        str(script): list(map(str, found)) for script in ones[::EVERY] if (found := run_script(ledger, script)[0])
    }

    assert len(ones) > 400
    assert failed == {}


def test_pairs_of_faults_are_tried_in_branches_of_one_run(ledger: Ledger) -> None:
    last = [task for task in tasks(places(ledger, ""), set()) if any(kind == "kill" for _, kind in task.alone)][-1]
    kills = tuple(place for place in last.alone if place[1] == "kill")[-1:]

    told = run_task(ledger, Task(last.at, kills, kills))

    assert (told.singles, told.failed) == (1, [])
    assert told.pairs > 0
    assert ledger.raw.execute("SELECT count(*) FROM ingests").fetchone() == (0,)


def test_a_branch_is_the_same_run_as_one_by_itself(ledger: Ledger) -> None:
    task = next(task for task in tasks(places(ledger, ""), set()) if len(task.alone) > 8)
    script = {task.alone[-1][0]: Fault(task.alone[-1][1], 0.7)}
    alone: list[str] = []
    _, asked = run_script(ledger, script, trace=alone.append)

    ledger.forget()
    with ledger.undone():
        branches = Branches(ledger)
        if (branched := branches.part()) is None:
            story: list[str] = []
            rest = parted(branches, at=task.at, script=script, story=story)
            branches.answer((story, rest))
    story, rest = branched

    assert story == alone
    assert rest == [question for question in asked if question.number >= task.at]


def test_a_promise_that_breaks_in_a_branch_is_told(ledger: Ledger) -> None:
    ways = [(task.at, place) for task in tasks(places(ledger, ""), set()) for place in task.alone]
    at, lost = next((at, place) for at, place in ways if place[1] == "message_lost")

    with broken("no_reaper", ledger):
        told = run_task(ledger, Task(at, (lost,), ()))

    assert [script for script, _ in told.failed] == [{lost[0]: Fault("message_lost", 0.7)}]


@pytest.mark.parametrize("mutant", ["no_outbox_and_no_reaper", "evidence_unwritten", "messages_are_counted"])
def test_a_broken_mechanism_is_noticed(ledger: Ledger, mutant: str) -> None:
    assert chase(ledger, mutant).seed is not None


def test_a_seed_is_the_same_story_each_time(ledger: Ledger) -> None:
    stories: list[list[str]] = []
    for _ in range(2):
        stories.append([])
        run_seed(ledger, 2, trace=stories[-1].append)

    assert stories[0] == stories[1]
    assert any("!" in line for line in stories[0])


def test_the_faults_of_a_seed_as_a_script_are_the_same_story(ledger: Ledger) -> None:
    drawn: list[str] = []
    result = run_seed(ledger, 5, trace=drawn.append)
    played: list[str] = []
    run_seed(ledger, 5, script={number: fault for number, (_, fault) in result.injected.items()}, trace=played.append)

    assert len(result.injected) > 20
    assert played == drawn


def test_a_run_is_the_same_story_where_its_transactions_are_savepoints_of_one(ledger: Ledger) -> None:
    stories: list[list[str]] = [[], []]
    run_seed(ledger, 2, trace=stories[0].append)
    ledger.forget()
    with ledger.undone():
        Simulation(2, ledger, trace=stories[1].append).run()

    assert stories[0] == stories[1]


def test_every_request_to_a_store_can_fail() -> None:
    asked = {name for name, member in vars(ObjectStore).items() if callable(member) and not name.startswith("_")}
    asks_nobody = {"name_fault"}

    assert asked - vars(FailingStore).keys() == asks_nobody


def test_a_script_is_shrunk_to_what_matters() -> None:
    faults = {number: Fault("kill" if number % 3 else "pause", number / 100) for number in range(40)}

    def fails(script: Mapping[int, Fault]) -> bool:
        return {7, 22} <= script.keys()

    assert shrink(faults, fails) == {7: faults[7], 22: faults[22]}


def test_every_mechanism_that_a_mutant_breaks_is_still_there(ledger: Ledger) -> None:
    for name in MUTANTS:
        with broken(name, ledger):
            pass
