"""What a server can do at all: `ceilings.py TASK` prints requests and MB per second as JSON.

Where a client comes near these, the server is the limit and the client's wall time says little about the client.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import obstore
from benchmarks.dataplane.stores import Store, Task
from obstore.store import AzureStore, S3Store

SMALL, LARGE = 10_240, 1 << 20
_SECONDS = 1.5


def main() -> None:
    """Of the destination of a task; leaves its objects there."""
    store = _opened(Task.read(Path(sys.argv[1])).destination)
    answer: dict[str, float] = {}
    for name, size in (("10 KB", SMALL), ("1 MB", LARGE)):
        answer[f"PUT {name}/s"] = _rate(partial(_put, store, name, bytes(size)))
        answer[f"GET {name}/s"] = _rate(partial(_get, store, name))
    print(json.dumps(answer))


def _put(store: S3Store | AzureStore, name: str, data: bytes, number: int) -> None:
    obstore.put(store, f"ceiling/{name}/{number}", data, use_multipart=False)


def _get(store: S3Store | AzureStore, name: str, number: int) -> None:
    del number
    obstore.get(store, f"ceiling/{name}/0").bytes()


def _rate(act: Callable[[int], object]) -> float:
    """Calls a second of 16 threads."""
    began = time.perf_counter()

    def work(thread: int) -> int:
        done = 0
        while time.perf_counter() - began < _SECONDS:
            act(thread + 16 * done)
            done += 1
        return done

    with ThreadPoolExecutor(16) as pool:
        calls = sum(pool.map(work, range(16)))
    return calls / (time.perf_counter() - began)


def _opened(store: Store) -> S3Store | AzureStore:
    options = {"allow_http": True, "timeout": timedelta(seconds=60)}
    if store.kind == "azure":
        config = {"account_name": store.account, "account_key": store.secret, "endpoint": store.endpoint}
        return AzureStore(store.bucket, config=config, client_options=options)  # type: ignore[arg-type]
    keys = {"access_key_id": store.account, "secret_access_key": store.secret, "region": "us-east-1"}
    more = {"endpoint": store.endpoint, "unsigned_payload": True, "virtual_hosted_style_request": False}
    return S3Store(store.bucket, config={**keys, **more}, client_options=options)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
