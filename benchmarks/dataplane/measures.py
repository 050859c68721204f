"""The measures that bars go by, from all that was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.dataplane.bars import MIB
from benchmarks.dataplane.clients.catalogue import OURS
from benchmarks.dataplane.figures import Summary, ratios, requests_per_object
from benchmarks.dataplane.rounds import HASH_LIMIT, LATENT_CONCURRENCY

PAGE = 1000


def all_measures(
    found: Iterable[Summary], *, objects: Mapping[str, int], latency_ms: float, extras: Mapping[str, float]
) -> dict[str, float]:
    """By the names that the bars use; `objects` by workload, `extras` are measures taken elsewhere."""
    everything = list(found)
    answer = ratios(everything)
    limits = {(s.scene, s.workload): s.wall.median for s in everything if s.client == HASH_LIMIT}
    for ours in everything:
        if ours.client == OURS:
            answer |= _own(ours, objects[ours.workload], latency_ms)
            if limit := limits.get((ours.scene, ours.workload)):
                answer[f"{ours.scene}/{ours.workload}/hash-limit"] = limit / ours.wall.median
    return answer | dict(extras)


def latency_floor(objects: int, latency_ms: float) -> float:
    """Seconds: three requests an object, so many at a time, and nothing else."""
    return 3 * latency_ms / 1000 * objects / LATENT_CONCURRENCY


def _own(ours: Summary, objects: int, latency_ms: float) -> dict[str, float]:
    where = f"{ours.scene}/{ours.workload}"
    answer = {f"{where}/rss": ours.rss.most / MIB}
    each = requests_per_object(ours, objects=objects)
    if each is not None:
        answer[f"{where}/requests"] = each
        answer[f"{where}/lists"] = ours.requests.get("LIST", 0) / -(-objects // PAGE)
    if ours.scene.startswith("latency"):
        answer[f"{where}/floor"] = ours.wall.median / latency_floor(objects, latency_ms)
    return answer
