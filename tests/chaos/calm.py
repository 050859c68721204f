"""After the chaos: faults off, and a clock on how long everything takes to come to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import psycopg
from azure.storage.blob import ContainerClient

from chaos.stack import ChaosStack
from chaos.workload import Workload
from local_stack.demo.making import Recipe, make
from local_stack.stack import CONTAINER

_LOOK = 0.25

_OPEN = """
SELECT (SELECT count(*) FROM ingests WHERE finished_at IS NULL),
       (SELECT count(*) FROM imports WHERE finished_at IS NULL),
       (SELECT count(*) FROM outbox)
"""


def settle(stack: ChaosStack, workload: Workload, *, within: float) -> float | None:
    """Wait until every ingest and import is at an end and no hint waits; the seconds it took, None where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        with psycopg.connect(stack.dsn, autocommit=True) as connection:
            if connection.execute(_OPEN).fetchone() == (0, 0, 0):
                took = time.monotonic() - began
                _see_the_ends(workload)
                return took
        workload.follow()
        time.sleep(_LOOK)
    return None


def finish(stack: ChaosStack, workload: Workload, *, within: float, rounds: int = 6) -> int:
    """Ask again, as an operator would, until all is as it should be; returns how many wrong copies were removed."""
    removed = 0
    for _ in range(rounds):
        if not workload.unfinished:
            break
        failed = [wish.recipe for wish in workload.unfinished if wish.status == "failed"]
        removed += remove_wrong_copies(stack, failed)
        workload.ask_again()
        settle(stack, workload, within=within)
    return removed


def remove_wrong_copies(stack: ChaosStack, recipes: Iterable[Recipe]) -> int:
    """What the pages of `destination_differs` and `replica_digest_mismatch` ask of an operator.

    Only blobs of ingests that failed, and only those that are not what the bag was made of.
    """
    container = stack.blob_service().get_container_client(CONTAINER)
    return sum(_removed(stack, container, recipe) for recipe in recipes)


def _removed(stack: ChaosStack, container: ContainerClient, recipe: Recipe) -> int:
    right = {item.key: item.data for item in make(recipe)}
    wrong = [
        name
        for name in container.list_blob_names(name_starts_with=recipe.root)
        if container.download_blob(name).readall() != right.get(name)
    ]
    for name in wrong:
        container.delete_blob(name)
        stack.writes.removed_by_operator(name)
    return len(wrong)


def _see_the_ends(workload: Workload) -> None:
    """The ledger is at rest: clients must be told so, too."""
    deadline = time.monotonic() + 10
    while workload.waits and time.monotonic() < deadline:
        workload.follow()


def ready(stack: ChaosStack, answers: Callable[[], bool], *, within: float) -> None:
    """Wait until the API answers and every process runs."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if all(service.running for service in stack.services.values()) and answers():
            return
        time.sleep(_LOOK)
    raise TimeoutError(f"the stack did not come back within {within:.0f} s of calm")
