"""One run: start, spoil, calm down, judge."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from chaos import calm
from chaos.client import Client
from chaos.history import History
from chaos.killer import Killer
from chaos.nursery import Nursery
from chaos.plan import Blow, plan, short
from chaos.report import Report
from chaos.stack import ChaosStack, Wiring
from chaos.verdict import judge
from chaos.wires import Wires
from chaos.workload import Workload
from invariants import install
from local_stack.access import token
from local_stack.servers.rabbitmq import RabbitMQ
from local_stack.stack import StackOptions

BOUND = 90.0
"""Seconds of calm after which nothing may be unfinished: the last back-off is 8 s, a lease 4 s, a look 3 s, and what is
left takes its time where many share two processors."""

_TAKEN_OVER = "SELECT count(*) FROM ingest_events WHERE description LIKE '%%stopped answering%%'"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for on the command line."""

    seconds: float
    broker: str
    """pgmq or rabbitmq."""
    seed: int
    directory: Path
    repository: Path


def run(wanted: Wanted, *, say: Callable[[str], None]) -> Report:
    """Everything once; the stack is stopped afterwards. Logs and the list of blows stay in the directory."""
    report = Report(wanted.seed, wanted.broker, wanted.seconds)
    rabbitmq = RabbitMQ(log=wanted.directory / "logs" / "rabbitmq.log") if wanted.broker == "rabbitmq" else None
    nursery = Nursery(log=wanted.directory / "logs" / "nursery.log")
    options = StackOptions(wanted.directory, wanted.repository, durable=False, launch=nursery.start)
    with Wires() as wires, nursery:
        stack = ChaosStack(Wiring(options, wanted.seed, rabbitmq), wires, say=lambda what: say(f"  starting {what}"))
        with stack:
            _play(stack, wanted, report, say)
    report.write(wanted.directory)
    return report


def _play(stack: ChaosStack, wanted: Wanted, report: Report, say: Callable[[str], None]) -> None:
    with psycopg.connect(stack.dsn) as connection:
        install(connection)
    history = History()
    client = Client(stack.api, token=token(stack.credentials), history=history)
    workload = Workload(stack, client, seed=wanted.seed)
    killer = Killer(stack, seed=wanted.seed, log=wanted.directory / "blows.jsonl")
    say(f"  {wanted.seconds:.0f} s of chaos")
    _chaos(stack, wanted, workload, killer)
    say("  calm")
    stack.calm()
    report.faults = {name: _named(rules.happened) for name, rules in stack.rules.items()}
    calm.ready(stack, client.answers, within=BOUND)
    report.to_quiescence = calm.settle(stack, workload, within=BOUND)
    report.removed = calm.finish(stack, workload, within=BOUND)
    say("  judging")
    report.violations = judge(stack, workload, history)
    _sum_up(report, workload, killer, history)
    with psycopg.connect(stack.dsn) as connection:
        report.taken_over = connection.execute(_TAKEN_OVER).fetchone()[0]  # type: ignore[index]
    too_few = short(killer.struck, seconds=wanted.seconds, blows=_blows(stack))
    report.troubles = [*killer.errors, *(f"refused: {told}" for told in client.refused), *too_few]
    client.close()


def _chaos(stack: ChaosStack, wanted: Wanted, workload: Workload, killer: Killer) -> None:
    asking = threading.Thread(target=workload.run, name="workload", daemon=True)
    asking.start()
    # Spoilt requests alone delay this; blows before there is any work would hit nothing.
    workload.under_way.wait(BOUND)
    strikes = plan(seconds=wanted.seconds, seed=wanted.seed, blows=_blows(stack))
    killer.run(strikes, seconds=wanted.seconds)
    workload.stopping.set()
    asking.join()


def _blows(stack: ChaosStack) -> frozenset[Blow]:
    return frozenset(Blow) - (frozenset() if stack.rabbitmq else {Blow.BROKER})


def _sum_up(report: Report, workload: Workload, killer: Killer, history: History) -> None:
    report.struck, report.spared = _named(killer.struck), killer.spared
    report.bags, report.ends = len(workload.wishes), _named(workload.ends)
    report.imports = sum(len(wave.imports) for wave in workload.waves)
    report.asked, report.unanswered = len(history.calls), history.unanswered


def _named(counts: object) -> dict[str, int]:
    return {str(name): number for name, number in dict(counts).items()}  # type: ignore[call-overload]
