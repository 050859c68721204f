"""kill -9 of each service in the middle of its work: the end is the same, and nothing is copied twice.

Each worker is caught at the worst moment, with its work done and its result not yet committed: the test holds a lock
that only the commit of that stage needs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local_stack.demo.calls import Api
from local_stack.demo.check import check
from local_stack.demo.content import text
from local_stack.demo.making import Recipe
from local_stack.demo.seeding import seed
from local_stack.stack import BUCKET, CONTAINER, Stack, StackOptions

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[2]
FILES = {f"data/{n:02d}.txt": text(n, words=50) for n in range(6)}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The real stack: PostgreSQL, S3 with cold storage, Azurite, six processes and the gateway."""
    options = StackOptions(
        tmp_path_factory.mktemp("stack"),
        REPOSITORY,
        ratio=36000,
        durable=False,
        settings={
            "BACKFILL_AUTH": "off",
            "BACKFILL_LEASE": "PT2S",
            "BACKFILL_HINT_AGAIN": "PT2S",
            "BACKFILL_THAW_DAYS": "30",
        },
    )
    with Stack(options) as stack:
        yield stack


def a_registered_bag(stack: Stack, name: str) -> Recipe:
    recipe = Recipe("space", name, 1, FILES, payload_class="GLACIER")
    control = stack.s3.control()
    seed(recipe, s3=stack.s3_client(), bucket=BUCKET, control=control)
    control.close()
    assert Api(stack.api).import_bags("cold")["counts"]["refused"] == 0
    return recipe


@contextmanager
def holding(stack: Stack, statement: str) -> Iterator[None]:
    """A transaction that has run the statement and stays open."""
    with psycopg.connect(stack.dsn) as connection:
        connection.execute(statement)
        yield


def waits_for_a_lock(stack: Stack, worker: str) -> bool:
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        return bool(
            connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'",
                [f"{worker}@%"],
            ).fetchone()
        )


def until(condition: Any, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def ended(stack: Stack, ingest_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(Api(stack.api).ingest(ingest_id))
        return found["status"]["id"] in ("succeeded", "failed")

    until(done)
    return found


def etags(stack: Stack, recipe: Recipe) -> dict[str, str]:
    blobs = stack.blob_service().get_container_client(CONTAINER).list_blobs(name_starts_with=recipe.root)
    return {blob.name: blob.etag for blob in blobs}


def asked_of_the_source(stack: Stack, recipe: Recipe) -> dict[str, int]:
    """How often each payload object was read and restored, at most."""
    control = stack.s3.control()
    asked = control.requests(BUCKET)
    control.close()
    payload = [asked[recipe.root + path] for path in FILES]
    return {what: max(counts.get(what, 0) for counts in payload) for what in ("get", "restore")}


STAGES = {
    "bag_warmer": ("LOCK TABLE segments IN SHARE MODE", "Planning"),
    "backfill_replicator": ("SELECT id FROM replicas WHERE state = 'transferring' FOR UPDATE", "Replicating to Azure"),
    "verifier": ("SELECT id FROM replicas WHERE state = 'transferring' FOR UPDATE", "Verification (Azure)"),
    "replica_aggregator": ("SELECT id FROM ingests WHERE status = 'processing' FOR UPDATE", "Aggregating replicas"),
    "bag_register": ("LOCK TABLE bag_locations IN SHARE MODE", "Register"),
}
"""What only the commit of the service's stage needs, and how the history calls the stage."""


@contextmanager
def others_stopped(stack: Stack, service: str) -> Iterator[None]:
    """The service itself is not running yet, so that the lock can be taken before it begins."""
    stack.services[service].stop()
    yield
    stack.services[service].start()


def reach(stack: Stack, service: str, ingest_id: str) -> None:
    """Wait until the row stands before the stage of the service, which is stopped."""
    before = {
        "bag_warmer": ("replicas", "planning"),
        "backfill_replicator": ("segments", "copying"),
        "verifier": ("segments", "verifying"),
        "replica_aggregator": ("replicas", "aggregating"),
        "bag_register": ("replicas", "registering"),
    }
    table, state = before[service]
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        query = f"SELECT 1 FROM {table} WHERE ingest_id = %s AND state = %s"
        until(lambda: connection.execute(query, [ingest_id, state]).fetchone())


@pytest.mark.parametrize("service", list(STAGES))
def test_a_worker_killed_before_its_result_is_committed_changes_nothing_in_the_end(stack: Stack, service: str) -> None:
    recipe = a_registered_bag(stack, f"killed-{service.replace('_', '-')}")
    lock, title = STAGES[service]
    with others_stopped(stack, service):
        ingest_id = Api(stack.api).backfill(recipe, destination="azure")["id"]
        reach(stack, service, ingest_id)
        held = holding(stack, lock)
        held.__enter__()
    until(lambda: waits_for_a_lock(stack, service))
    copied = etags(stack, recipe)

    stack.services[service].kill()
    held.__exit__(None, None, None)

    ingest = ended(stack, ingest_id)
    findings, _ = check(stack.blob_service().get_container_client(CONTAINER), [recipe])
    told = [event["description"] for event in ingest["events"]]
    assert (ingest["status"]["id"], findings[0].faults) == ("succeeded", [])
    assert any(line.startswith(f"{title} retrying - ") and "stopped answering" in line for line in told), told
    assert {key: etag for key, etag in etags(stack, recipe).items() if key in copied} == copied
    assert told.count("Register succeeded (completed)") == 1
    assert asked_of_the_source(stack, recipe) == {"get": 1, "restore": 1}


def test_an_api_killed_before_its_commit_has_accepted_nothing_and_accepts_it_the_next_time(stack: Stack) -> None:
    recipe = a_registered_bag(stack, "killed-api")
    api = Api(stack.api)

    with holding(stack, "LOCK TABLE outbox IN SHARE MODE"):
        with pytest.raises(httpx.HTTPError), httpx.Client(base_url=stack.api, timeout=2, trust_env=False) as impatient:
            impatient.post("/ingests", json=api.request(recipe, destination="azure")).raise_for_status()
        until(lambda: waits_for_a_lock(stack, "ingests_api"))
        stack.services["ingests_api"].kill()

    until(lambda: stack.services["ingests_api"].running)
    until(lambda: httpx.get(f"{stack.api}/ingests/x", trust_env=False).status_code == 405)
    ingest = ended(stack, api.backfill(recipe, destination="azure")["id"])
    with psycopg.connect(stack.dsn) as connection:
        number = connection.execute(
            "SELECT count(*) FROM ingests WHERE external_identifier = %s", [recipe.external_identifier]
        ).fetchone()
    assert (ingest["status"]["id"], number) == ("succeeded", (1,))


def test_sigterm_gives_the_work_back_and_costs_no_attempt(stack: Stack) -> None:
    recipe = a_registered_bag(stack, "sigterm")
    ingest_id = Api(stack.api).backfill(recipe, destination="azure")["id"]

    for name in ("backfill_replicator", "verifier", "bag_warmer"):
        stack.services[name].stop()
        stack.services[name].start()

    ingest = ended(stack, ingest_id)
    told = [event["description"] for event in ingest["events"]]
    assert ingest["status"]["id"] == "succeeded"
    assert [line for line in told if "retrying" in line] == []


def test_what_runs_steps_interrupts_nobody_and_what_answers_people_may(stack: Stack) -> None:
    policies = {name: os.sched_getscheduler(stack.services[name].pid) for name in ("verifier", "ingests_api")}

    assert policies == {"verifier": os.SCHED_BATCH, "ingests_api": os.sched_getscheduler(0)}
