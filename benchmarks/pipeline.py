"""The whole pipeline, API to register, against rclone over the same bags: `python -m benchmarks.pipeline`.

The bags lie in `rclone serve s3`, the destination is the local stack's Azurite. Each round has bags of its own, and
runs the six services, the data plane alone, and rclone-both, one after the other, the other way round every second
time; a round before them does not count, since services and Azurite do not run since a second ago. Each finds an empty
destination: Azurite slows down with the number of its blobs. Prints JSON, times in seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.dataplane.clients.catalogue import BOTH, CLIENTS, OURS, environment, tool
from benchmarks.dataplane.measuring import Cost, run
from benchmarks.dataplane.stores import Store, Task
from benchmarks.dataplane.workloads import QUICK_SHAPES, SHAPES, Item, content

from local_stack.demo.calls import Api
from local_stack.demo.making import Recipe, make
from local_stack.servers.child import start_child
from local_stack.servers.ports import answers, free_port
from local_stack.settings import DESTINATION, SERVICES, SOURCE, S3Place
from local_stack.stack import CONTAINER, Stack, StackOptions

REPOSITORY = Path(__file__).resolve().parents[1]
BUCKET, KEY, SECRET = "archive", "benchmark", "benchmark-secret"
PATIENCE = timedelta(minutes=5)
_WARM_UP = "warm-up"
_TICK = os.sysconf("SC_CLK_TCK")


class BenchStack(Stack):
    """The local stack with another source: rclone over a directory, which is faster than what is being measured."""

    endpoint = ""

    @property
    def source(self) -> S3Place:
        return S3Place(self.endpoint, KEY, SECRET, "us-east-1", BUCKET)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-pipeline-", dir=shared if shared.is_dir() else None))
    room.chmod(0o711)
    try:
        print(json.dumps(measure(room, rounds=given.rounds, quick=given.quick)))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def measure(room: Path, *, rounds: int, quick: bool) -> dict[str, float]:
    """Medians of the rounds, what `benchmarks.dataplane.whole` reads."""
    names = [_WARM_UP, *(f"round{number}" for number in range(1, rounds + 1))]
    spaces = {name: _seeded(name, room, quick=quick) for name in names}
    port = free_port()
    command = [tool("rclone"), "--config", "/dev/null", "serve", "s3", str(room / "source"), "--log-level", "ERROR"]
    command += ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
    server = start_child("rclone serve s3", command, log=room / "rclone.log")
    try:
        server.wait_until(lambda: answers(port), seconds=20)
        stack = BenchStack(StackOptions(room, REPOSITORY, durable=False, settings={"BACKFILL_AUTH": "off"}), say=_say)
        stack.endpoint = f"http://127.0.0.1:{port}"
        with stack:
            return _rounds(stack, spaces, room)
    finally:
        server.stop()


def _rounds(stack: Stack, spaces: dict[str, list[Recipe]], room: Path) -> dict[str, float]:
    api = Api(stack.api)
    _say(f"adopted: {api.import_bags(SOURCE)['counts']}")
    costs: dict[str, list[Cost]] = {"pipeline": [], "ours": [], "rclone": []}
    for number, (space, recipes) in enumerate(spaces.items()):
        task, told = _task(stack, space, room), list[str]()
        runs: list[tuple[str, Callable[[], Cost]]] = [
            ("pipeline", partial(_pipeline, stack, api, recipes)),
            ("ours", partial(_client, OURS, task, room)),
            ("rclone", partial(_client, BOTH, task, room)),
        ]
        for name, measured in runs[:: -1 if number % 2 else 1]:
            cost = measured()
            if space != _WARM_UP:
                costs[name].append(cost)
            told.append(f"{name} {cost.wall:.2f} s")
            stack.blob_service().delete_container(CONTAINER)
            stack.blob_service().create_container(CONTAINER)
        _say(f"{space}: {', '.join(told)}")
    piped, alone, rclone = costs.values()
    bags = next(iter(spaces.values()))
    return {
        "bags": len(bags),
        "segments": len(bags),
        "files": sum(len(make(recipe)) for recipe in bags),
        "pipeline": median(cost.wall for cost in piped),
        "data_plane": median(cost.wall for cost in alone),
        "rclone": median(cost.wall for cost in rclone),
        "ratio": median(theirs.wall / ours.wall for theirs, ours in zip(rclone, piped, strict=True)),
        "service_cpu": median(cost.cpu for cost in piped),
        "data_plane_cpu": median(cost.cpu for cost in alone),
    }


def _pipeline(stack: Stack, api: Api, recipes: Iterable[Recipe]) -> Cost:
    """From the first request to the last success, as its history dates it; CPU is that of the six services."""
    before, began = _cpu(stack), datetime.now(UTC)
    ends = [_end(api, ingest_id, began, stack) for ingest_id in [_asked(api, recipe) for recipe in recipes]]
    return Cost((max(ends) - began).total_seconds(), _cpu(stack) - before, 0)


def _asked(api: Api, recipe: Recipe) -> str:
    return str(api.backfill(recipe, destination=DESTINATION)["id"])


def _end(api: Api, ingest_id: str, began: datetime, stack: Stack) -> datetime:
    """When it succeeded. One is looked at until then, twice a second: looking at all of them would measure the looking,
    and so would taking the time when a look came by."""
    while (ingest := api.ingest(ingest_id))["status"]["id"] != "succeeded":
        if ingest["status"]["id"] == "failed":
            sys.exit(f"ingest {ingest_id} failed: {ingest['events'][-1]['description']}")
        if datetime.now(UTC) - began > PATIENCE:
            sys.exit(f"{ingest_id} has not ended within {PATIENCE}; logs: {stack.logs}")
        time.sleep(0.5)
    return datetime.fromisoformat(ingest["events"][-1]["createdDate"])


def _cpu(stack: Stack) -> float:
    """Seconds of CPU that the six services have used."""
    return sum(_cpu_of(stack.services[name].pid) for name in SERVICES)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _client(name: str, task: Task, room: Path) -> Cost:
    file, disk = room / "task.json", room / "disk"
    task.write(file)
    return run(CLIENTS[name].commands(task, file, disk), environment=environment(task))


def _task(stack: Stack, space: str, room: Path) -> Task:
    azurite = stack.azurite
    return Task(
        source=Store("s3", stack.source.endpoint, BUCKET, KEY, SECRET),
        destination=Store("azure", azurite.endpoint, CONTAINER, azurite.account_name, azurite.account_key),
        prefix=f"{space}/",
        items=str(room / f"{space}.json"),
        manifest=str(room / f"{space}.sha256"),
        concurrency=16,
    )


def _seeded(space: str, room: Path, *, quick: bool) -> list[Recipe]:
    """Bags of the W5 sizes under a space of their own, written where the source server finds them."""
    shape = (QUICK_SHAPES if quick else SHAPES)["w5"]
    payloads: list[dict[str, bytes]] = [{} for _ in range(shape.bags)]
    for number, (bag, size) in enumerate(shape.sizes()):
        payloads[bag][f"data/{number:06d}.bin"] = b"".join(content(f"{space} {number}", size))
    recipes = [Recipe(space, f"bag-{n:03d}", 1, payload) for n, payload in enumerate(payloads)]
    items = [item for recipe in recipes for item in _put(recipe, room / "source" / BUCKET)]
    (room / f"{space}.json").write_text(json.dumps([asdict(item) for item in items]), "utf-8")
    lines = (f"{item.sha256}  {item.key.removeprefix(f'{space}/')}\n" for item in items)
    (room / f"{space}.sha256").write_text("".join(lines), "utf-8")
    return recipes


def _put(recipe: Recipe, root: Path) -> Iterable[Item]:
    for made in make(recipe):
        path = root / made.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)
        yield Item(made.key, recipe.external_identifier, len(made.data), hashlib.sha256(made.data).hexdigest())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
