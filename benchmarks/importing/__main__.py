"""How fast bags are imported: `python -m benchmarks.importing --bags 260000`. Prints JSON, times in seconds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from benchmarks.api.cpu import seconds_of_tree

from local_stack.servers.child import Child, start_child
from local_stack.servers.ports import answers, free_port
from local_stack.servers.postgres import Postgres

_PLACES = """
[locations.cold]
provider = "amazon-s3"
bucket = "made-up"
endpoint = "http://127.0.0.1:{port}"
region = "us-east-1"
access_key_id = "benchmark"
secret_access_key = "benchmark-secret"
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bags", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2, help="of bag_register")
    parser.add_argument("--say", action="store_true", help="tell how far it is, on standard error")
    given = parser.parse_args()
    shared = Path("/dev/shm")
    # In memory where there is some, so that no disk is measured.
    room = Path(tempfile.mkdtemp(prefix="backfill-import-", dir=shared if shared.is_dir() else None))
    room.chmod(0o711)
    try:
        print(json.dumps(measure(room, bags=given.bags, processes=given.processes, say=given.say)))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def measure(room: Path, *, bags: int, processes: int, say: bool) -> dict[str, Any]:
    """From the request to the end; CPU is that of the register's processes, of the ledger and of the store."""
    with ExitStack() as stack:
        store = free_port()
        made_up = _child(stack, "The made-up store", ["benchmarks.importing.made_up", str(store), str(bags)], room, {})
        made_up.wait_until(lambda: answers(store), seconds=120)
        postgres = stack.enter_context(_postgres(room))
        ports = [free_port() for _ in range(processes)]
        workers = [_register(stack, room, postgres, store, port) for port in ports]
        for worker, port in zip(workers, ports, strict=True):
            worker.wait_until(lambda port=port: answers(port), seconds=240)  # type: ignore[misc]
        began, before = time.perf_counter(), [seconds_of_tree(worker.pid) for worker in workers]
        ended = _import(f"http://127.0.0.1:{ports[0]}", say=say)
        seconds = time.perf_counter() - began
        cpu = sum(seconds_of_tree(worker.pid) - at for worker, at in zip(workers, before, strict=True))
        if ended["counts"] != {"registered": bags, "known": 0, "refused": 0}:
            sys.exit(f"the import ended with {ended}")
        return {
            "bags": bags,
            "processes": processes,
            "seconds": seconds,
            "bags_per_second": bags / seconds,
            "register_cpu": cpu,
            "store_cpu": seconds_of_tree(made_up.pid),
            "ledger_cpu": seconds_of_tree(postgres.pid),
        }


@contextmanager
def _postgres(room: Path) -> Iterator[Postgres]:
    server = Postgres(room / "postgres", log=room / "postgres.log", durable=True)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _register(stack: ExitStack, room: Path, postgres: Postgres, store: int, port: int) -> Child:
    places = room / "locations.toml"
    places.write_text(_PLACES.format(port=store))
    environment = {
        "BACKFILL_DATABASE_URL": postgres.address.ensure_database("backfill"),
        "BACKFILL_LOCATIONS": str(places),
        "BACKFILL_HTTP_PORT": str(port),
        "BACKFILL_HEALTH_PORT": "0",
        "BACKFILL_AUTH": "off",
        "BACKFILL_RECORDS": str(room / "records"),
        "BACKFILL_EVIDENCE_CHECKPOINTS": str(room / "checkpoints"),
        "BACKFILL_DIGESTS": str(room / "digests"),
        "BACKFILL_LOG_FORMAT": "json",
    }
    return _child(stack, f"bag_register-{port}", ["bag_register"], room, environment)


def _child(stack: ExitStack, name: str, module: list[str], room: Path, environment: dict[str, str]) -> Child:
    log = room / f"{name}.log"
    child = start_child(name, [sys.executable, "-m", *module], log=log, env={**os.environ, **environment})
    stack.callback(child.stop)
    return child


def _import(api: str, *, say: bool) -> dict[str, Any]:
    with httpx.Client(base_url=api, timeout=60) as client:
        asked = client.post("/imports", json={"location": {"id": "cold"}})
        asked.raise_for_status()
        while True:
            found: dict[str, Any] = client.get(f"/imports/{asked.json()['id']}").json()
            if found["state"] != "walking":
                return found
            if say:
                print(found["counts"], found["parts"], file=sys.stderr, flush=True)
            time.sleep(0.5 if found["counts"]["registered"] < 20_000 else 5)


if __name__ == "__main__":
    main()
