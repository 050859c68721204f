"""A PostgreSQL server of the simulation's own, and one ledger on it for each process that simulates."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing import get_context
from typing import Any

from local_stack.servers.postgres import open_postgres
from simulation.ledger import Ledger, prepare
from simulation.run import quieten

_numbers = count()


@contextmanager
def server() -> Iterator[Any]:
    """Nothing of it outlives the block."""
    postgres = open_postgres(durable=False).start()
    try:
        yield postgres
    finally:
        postgres.stop()


@contextmanager
def ledger_on(address: Any) -> Iterator[Ledger]:
    """A fresh ledger in virtual time. `address`: see local_stack.servers.postgres_address."""
    name = f"simulation_{os.getpid()}_{next(_numbers)}"
    dsn = address.create_database(name)
    prepare(dsn)
    quieten()
    ledger = Ledger(dsn)
    try:
        yield ledger
    finally:
        ledger.close()
        address.drop_database(name)


def in_processes(work: Callable[..., None], *, processes: int, tasks: list[Any]) -> Iterator[Any]:
    """Deal the tasks out to processes, each with a ledger of its own, and yield what they answer as it comes.

    `work(ledger, task)` returns something that can be pickled.
    """
    context = get_context("spawn")
    with server() as postgres:
        waiting, answers = context.Queue(), context.Queue()
        for task in tasks:
            waiting.put(task)
        for _ in range(processes):
            waiting.put(None)
        arguments = (work, postgres.address, waiting, answers)
        children = [context.Process(target=_serve, args=arguments, daemon=True) for _ in range(processes)]
        for child in children:
            child.start()
        try:
            for _ in tasks:
                yield _next_answer(answers, children)
        finally:
            for child in children:
                child.terminate()
                child.join()


def _next_answer(answers: Any, children: list[Any]) -> Any:
    from queue import Empty

    while True:
        try:
            return answers.get(timeout=5)
        except Empty:
            if not any(child.is_alive() for child in children):
                raise RuntimeError("the simulating processes have ended early; see above") from None


def _serve(work: Callable[..., Any], address: Any, waiting: Any, answers: Any) -> None:
    with ledger_on(address) as ledger:
        while (task := waiting.get()) is not None:
            answers.put(work(ledger, task))
