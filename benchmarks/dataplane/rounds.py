"""Runs every client once per round, in turn, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.dataplane.clients.catalogue import BOTH, CLIENTS, OURS, REPLICA, Client, environment, hashing_limit
from benchmarks.dataplane.figures import Run
from benchmarks.dataplane.measuring import Cost, run
from benchmarks.dataplane.scenes import Scene
from benchmarks.dataplane.stores import Task
from benchmarks.dataplane.workloads import Workload

HASH_LIMIT = "hashing-twice"
"""Not a client: what hashing alone would take."""
START_UP = "ours-start-up"
"""Ours with nothing to copy: what a service pays once, and a benchmark that starts a process each time pays always."""
NOTHING = "nothing/"
USUAL_CONCURRENCY, LARGE_CONCURRENCY, REAL_CONCURRENCY, LATENT_CONCURRENCY = 8, 4, 16, 64

Say = Callable[[str], None]


def concurrency(scene: Scene, workload: Workload) -> int:
    """Files at a time, the same for every client that can be told."""
    if scene.latency_ms:
        return LATENT_CONCURRENCY
    if scene.real:
        return REAL_CONCURRENCY
    return LARGE_CONCURRENCY if workload.shape.name == "w3" else USUAL_CONCURRENCY


def trust(scene: Scene) -> dict[str, str]:
    """What clients are told of the servers' certificate: OpenSSL, Go and boto3 ask for it by these names."""
    if scene.certificate is None:
        return {}
    return dict.fromkeys(("SSL_CERT_FILE", "AWS_CA_BUNDLE"), str(scene.certificate))


def clients_for(scene: Scene, workload: Workload) -> list[Client]:
    """Those that can do it; over latency only those that are tuned for it, and the same of large files on real servers,
    which take a quarter of a minute for each."""
    if scene.latency_ms or (scene.real and workload.shape.name == "w3"):
        return [CLIENTS[name] for name in (OURS, BOTH, REPLICA)]
    return [client for client in CLIENTS.values() if client.to_azure or scene.name.endswith("s3")]


def measure(scene: Scene, workload: Workload, *, rounds: int, room: Path, say: Say) -> Iterator[Run]:
    """All rounds of all clients. Raises CannotMeasure where one fails."""
    for number in range(1, rounds + 1):
        told: list[str] = []
        for client in clients_for(scene, workload):
            scene.empty()
            cost = _once(client, scene, workload, room)
            yield _run(scene, workload, client.name, number, cost, scene.take_counts())
            told.append(f"{client.name} {cost.wall:.2f} s")
        idle = _once(CLIENTS[OURS], scene, workload, room, prefix=NOTHING)
        yield _run(scene, workload, START_UP, number, idle, {})
        if workload.shape.name == "w3" and scene.name.startswith("null"):
            yield _run(scene, workload, HASH_LIMIT, number, run(hashing_limit(workload.bytes), environment={}), {})
        say(f"  {scene.name} {workload.shape.name} round {number}: {', '.join(told)}")


def _once(client: Client, scene: Scene, workload: Workload, room: Path, *, prefix: str | None = None) -> Cost:
    task = Task(
        source=scene.source,
        destination=scene.destination,
        prefix=prefix or workload.shape.prefix,
        items=str(workload.items),
        manifest=str(workload.manifest),
        concurrency=concurrency(scene, workload),
    )
    file = room / "task.json"
    task.write(file)
    disk = Path(tempfile.mkdtemp(dir=room))
    try:
        return run(client.commands(task, file, disk), environment={**environment(task), **trust(scene)})
    finally:
        shutil.rmtree(disk)


def _run(scene: Scene, workload: Workload, client: str, number: int, cost: Cost, counts: dict[str, int]) -> Run:
    return Run(scene.name, workload.shape.name, client, number, cost.wall, cost.cpu, cost.rss, counts)


def names(text: str, known: Sequence[str]) -> list[str]:
    """Of "w1 w2": those words, checked. Raises ValueError that names the stranger."""
    chosen = text.split() or list(known)
    if strangers := [name for name in chosen if name not in known]:
        raise ValueError(f"{strangers[0]!r} is not one of {', '.join(known)}")
    return chosen
