"""What a server can do at all: `ceilings.py TASK` prints requests and MB per second as JSON.

Where a client comes near these, the server is the limit and the client's wall time says little about the client.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.dataplane.clients.at import at
from benchmarks.dataplane.stores import Task

from common.adapters.objects.registry import open_store
from common.domain.location import LocationId
from common.ports import ObjectStore

SMALL, LARGE = 10_240, 1 << 20
_SECONDS = 1.5
_THREADS = 16


def main() -> None:
    """Of the destination of a task; leaves its objects there."""
    task = Task.read(sys.argv[1])
    store = open_store(at(task.destination, LocationId("ceiling"), concurrency=_THREADS), retry=False)
    answer: dict[str, float] = {}
    for name, size in (("10 KB", SMALL), ("1 MB", LARGE)):
        answer[f"PUT {name}/s"] = _rate(partial(_put, store, name, bytes(size)))
        answer[f"GET {name}/s"] = _rate(partial(_get, store, name, size))
    print(json.dumps(answer))


def _put(store: ObjectStore, name: str, data: bytes, number: int) -> None:
    store.create(key=f"ceiling/{name}/{number}", data=data)


def _get(store: ObjectStore, name: str, size: int, number: int) -> None:
    del number
    store.fetch(key=f"ceiling/{name}/0", into=memoryview(bytearray(size)))


def _rate(act: Callable[[int], object]) -> float:
    """Calls a second of all threads."""
    began = time.perf_counter()

    def work(thread: int) -> int:
        done = 0
        while time.perf_counter() - began < _SECONDS:
            act(thread + _THREADS * done)
            done += 1
        return done

    with ThreadPoolExecutor(_THREADS) as pool:
        calls = sum(pool.map(work, range(_THREADS)))
    return calls / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
