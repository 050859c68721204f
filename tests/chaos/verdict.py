"""What must hold after everything, looked at from outside."""

from __future__ import annotations

import psycopg

from chaos.history import History
from chaos.places import Bucket, Container
from chaos.stack import ChaosStack
from chaos.workload import Wish, Workload
from invariants import Store, violations
from local_stack.demo.check import check
from local_stack.settings import DESTINATION, SOURCE
from local_stack.stack import BUCKET, CONTAINER


def judge(stack: ChaosStack, workload: Workload, history: History) -> list[str]:
    """Every broken promise as a sentence; empty: none."""
    return [
        *_invariants(stack),
        *(f"history: {told}" for told in history.contradictions()),
        *(f"S5 {told}" for told in stack.writes.wrong()),
        *(f"S15 {told}" for told in stack.touched.wrong()),
        *_bytes(stack, workload),
        *(_unfinished(wish) for wish in workload.unfinished),
        *_damaged(stack, workload),
    ]


def _invariants(stack: ChaosStack) -> list[str]:
    container = Container(stack.blob_service().get_container_client(CONTAINER))
    stores: dict[str, Store] = {SOURCE: Bucket(stack.s3_client(), BUCKET), DESTINATION: container}
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        return [str(violation) for violation in violations(connection, stores, at_rest=True)]


def _bytes(stack: ChaosStack, workload: Workload) -> list[str]:
    """S1 once more, against the bytes the bags were made of instead of what any store says."""
    arrived = [wish.recipe for wish in workload.wishes if wish.status == "succeeded"]
    findings, _ = check(stack.blob_service().get_container_client(CONTAINER), arrived)
    return [f"S1 {finding.recipe.name}: {fault}" for finding in findings for fault in finding.faults]


def _unfinished(wish: Wish) -> str:
    about = f"ingest {wish.ingest} is {wish.status} {wish.code}" if wish.ingest else "it was never accepted"
    return f"L1 {wish.recipe.name}: in the calm, asked again and again, it was not copied: {about}"


def _damaged(stack: ChaosStack, workload: Workload) -> list[str]:
    """Damage at the source is told, and never copied."""
    registered = _registered(stack)
    damaged = [wish for wish in workload.wishes if wish.recipe.corrupt]
    return [
        f"S1 {wish.recipe.name}: its source is damaged, and it is registered"
        for wish in damaged
        if wish.recipe.name in registered
    ]


def _registered(stack: ChaosStack) -> set[str]:
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT b.space || '/' || b.external_identifier FROM bag_locations l JOIN bag_versions b"
            " ON b.id = l.bag_version_id WHERE l.role = 'replica'"
        ).fetchall()
    return {row[0] for row in rows}
