"""What the clients ask for: ingests drawn at random, new ones, and pages of lists at any depth."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from uuid import UUID

from benchmarks.api.load import Ask

from ingests_api.cursors import cursor_text


def reading(ingests: int) -> Iterator[Ask]:
    """Ingests drawn at random."""
    while True:
        number = random.randint(1, ingests)
        name = UUID(md5(f"ingest{number}second".encode(), usedforsecurity=False).hexdigest())
        yield Ask("GET", f"/ingests/{name}")


def creating(numbers: Iterator[int]) -> Iterator[Ask]:
    """Each bag version is asked for once."""
    for number in numbers:
        body = {
            "type": "Ingest",
            "ingestType": {"id": "backfill"},
            "space": {"id": f"space-{number % 10}"},
            "bag": {"info": {"externalIdentifier": f"b{number:08}"}},
            "destination": {"id": "azure"},
        }
        yield Ask("POST", "/ingests", 201, json.dumps(body).encode())


INGEST_LISTS = (
    "limit=100",
    "limit=100&sort=createdDate",
    "limit=100&status=failed",
    "limit=100&status=succeeded",
    "limit=100&status=accepted",
    "limit=100&status=stalled",
    "limit=100&space=space-3",
    "limit=100&destination=second",
    "limit=100&code=source_changed",
    "limit=100&bag=b00000042",
    "limit=100&createdAfter=2020-01-01T00:00:00Z&createdBefore=2100-01-01T00:00:00Z",
    "limit=100&space=space-0&status=failed",
    "limit=100&space=space-3&status=failed",
    "limit=100&space=space-3&destination=second&status=succeeded",
    "limit=100&destination=azure&status=succeeded",
)
"""The thirteenth finds nothing: no ingest of that space has failed."""
BAG_LISTS = ("/bags?limit=100", "/bags?limit=100&space=space-3", "/bags?limit=100&location=archive")


def ingest_pages(query: str, *, ingests: int) -> Callable[[], Iterator[Ask]]:
    """Pages behind places anywhere between the newest and the oldest of `ingests`, which are ten seconds apart."""
    newest = datetime.now(UTC)

    def pages() -> Iterator[Ask]:
        yield Ask("GET", f"/ingests?{query}")
        while True:
            moment = newest - timedelta(seconds=random.uniform(0, 10 * ingests))
            place = cursor_text((moment, UUID(int=random.getrandbits(128))))
            yield Ask("GET", f"/ingests?{query}&after={place}")

    return pages


def bag_pages(address: str, *, bags: int) -> Callable[[], Iterator[Ask]]:
    """Pages behind any of `bags`."""

    def pages() -> Iterator[Ask]:
        yield Ask("GET", address)
        while True:
            number = random.randint(1, bags)
            space = address.partition("space=")[2] or f"space-{number % 10}"
            yield Ask("GET", f"{address}&after={space}/b{number:08}/v1")

    return pages


def always(address: str) -> Callable[[], Iterator[Ask]]:
    """The same again and again."""
    return lambda: itertools.repeat(Ask("GET", address))
