"""Hashing an object within the memory that is allowed."""

from __future__ import annotations

import threading

from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.fixity import Algorithm
from common.measuring import WHOLE, Measuring
from common.memory import Memory
from unit.common.domain.bagit.bags import digest
from unit.common.runtime.archives import Watched

KIB = 1024


def measured(store: Watched, *, size: int) -> tuple[str, int]:
    found = Measuring(Memory(), lambda: None).hashed(store, key="k", size=size, algorithms={Algorithm.SHA256: ""})
    return found.hasher.digests()[Algorithm.SHA256], found.hasher.size


def holding(data: bytes) -> Watched:
    store = MemoryStore(MemoryBucket())
    store.create(key="k", data=data)
    return Watched(store)


def test_an_object_is_measured_whole_whatever_size_it_was_said_to_have() -> None:
    data = bytes(range(256)) * (WHOLE // 128)
    for real, said in ((5, 5), (5, 7), (5, 4), (5, 0), (WHOLE, WHOLE), (WHOLE + 1, WHOLE), (WHOLE + 1, WHOLE + 1)):
        assert measured(holding(data[:real]), size=said) == (digest(data[:real]), real), (real, said)


def test_a_small_object_costs_one_request() -> None:
    store = holding(b"hello")

    measured(store, size=5)

    assert store.calls == {"read": 1}


def test_what_is_held_at_once_stays_within_the_memory() -> None:
    memory, lock, held, most = Memory(100 * KIB), threading.Lock(), [0], [0]

    def hold(size: int) -> None:
        with memory.holding(size):
            with lock:
                held[0] += min(size, 100 * KIB)
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= min(size, 100 * KIB)

    threads = [threading.Thread(target=hold, args=(size * KIB,)) for size in (60, 60, 30, 10, 250, 0, 100, 40) * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert not any(thread.is_alive() for thread in threads)
    assert 60 * KIB <= most[0] <= 100 * KIB


def test_memory_is_given_back_after_an_error() -> None:
    memory = Memory(10)
    for _ in range(3):
        try:
            with memory.holding(10):
                raise ValueError
        except ValueError:
            pass

    with memory.holding(10):
        pass
