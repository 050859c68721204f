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
from pathlib import Path

import obstore
from benchmarks.dataplane.stores import Store, Task
from obstore.store import AzureStore, S3Store

SMALL, LARGE = 10_240, 1 << 20
_SECONDS = 1.5


def main() -> None:
    """Of the destination of a task; leaves its objects there."""
    store = _opened(Task.read(Path(sys.argv[1])).destination)
    answer = {}
    for name, size in (("10 KB", SMALL), ("1 MB", LARGE)):
        data = bytes(size)
        put = _rate(
            lambda n, data=data, name=name: obstore.put(store, f"ceiling/{name}/{n}", data, use_multipart=False)
        )
        get = _rate(lambda _, name=name: obstore.get(store, f"ceiling/{name}/0").bytes())
        answer |= {f"PUT {name}/s": put, f"GET {name}/s": get}
    print(json.dumps(answer))


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
