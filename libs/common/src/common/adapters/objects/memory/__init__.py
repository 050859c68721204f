"""Objects in this process's memory: real semantics, for tests and the simulation."""

from __future__ import annotations

from threading import Lock

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory.bucket import MemoryBucket
from common.adapters.objects.memory.cold import MemoryColdStore
from common.adapters.objects.memory.store import MemoryStore

__all__ = ["MemoryBucket", "MemoryColdStore", "MemoryStore", "open_cold_store", "open_store"]

_buckets: dict[str, MemoryBucket] = {}
_lock = Lock()


def open_store(config: LocationConfig) -> MemoryStore:
    """Stores opened with the same bucket name share its objects, as they do at a provider."""
    return MemoryStore(bucket=_bucket(config.bucket))


def open_cold_store(config: LocationConfig) -> MemoryColdStore:
    return MemoryColdStore(bucket=_bucket(config.bucket))


def _bucket(name: str) -> MemoryBucket:
    with _lock:
        return _buckets.setdefault(name, MemoryBucket())
