"""Retries, limits and faults around a store in memory."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.adapters.objects.wrappers.faulty import Faults, FaultyStore
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.retrying import RetryingStore
from common.errors import AlreadyExists, NotFound, StoreUnavailable, Throttled, TruncatedBody
from common.ports import ObjectStore
from unit.common.adapters.objects.timeline import Timeline


class Once:
    """A random source that lets the first so many faults happen, and then none."""

    def __init__(self, times: int) -> None:
        self.left = times
        self._random = Random(7)

    def random(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1.0

    def randrange(self, stop: int) -> int:
        return self._random.randrange(stop)


def memory() -> MemoryStore:
    return MemoryStore(bucket=MemoryBucket())


def patience(timeline: Timeline, **bounds: float) -> Patience:
    return Patience(clock=timeline, sleep=timeline.sleep, random=Random(1), **bounds)  # type: ignore[arg-type]


def content(store: ObjectStore, key: str, **how: int) -> bytes:
    with store.read(key=key, **how) as body:  # type: ignore[arg-type]
        return b"".join(bytes(block) for block in body)


def failing(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_patience_ends_after_its_attempts() -> None:
    timeline = Timeline()

    with pytest.raises(StoreUnavailable):
        patience(timeline, attempts=4)(failing(StoreUnavailable()))

    assert len(timeline.naps) == 3
    assert all(nap <= 0.2 * 2**number for number, nap in enumerate(timeline.naps))


def test_patience_ends_with_its_time() -> None:
    timeline = Timeline()

    with pytest.raises(Throttled):
        patience(timeline, attempts=100, total=10)(failing(Throttled(retry_after=4)))

    assert timeline.naps == [4, 4]


def test_time_in_a_queue_before_the_first_failure_costs_no_patience() -> None:
    timeline = Timeline()
    attempts = []

    def act() -> None:
        attempts.append(timeline.now)
        if len(attempts) == 1:
            timeline.now += 1000
            raise StoreUnavailable

    patience(timeline, total=10)(act)

    assert len(attempts) == 2


def test_what_stays_the_same_is_not_tried_again() -> None:
    timeline = Timeline()

    with pytest.raises(NotFound):
        patience(timeline)(failing(NotFound()))

    assert timeline.naps == []


def test_a_create_whose_answer_was_lost_says_already_exists() -> None:
    inner = memory()
    faulty = FaultyStore(inner, faults=Faults(Once(1), after=1))  # type: ignore[arg-type]
    store = RetryingStore(faulty, patience=patience(Timeline()))

    with pytest.raises(AlreadyExists):
        store.create(key="k", data=b"ours")

    assert content(inner, "k") == b"ours"


def test_a_create_that_never_arrived_is_made_by_the_next_attempt() -> None:
    inner = memory()
    faulty = FaultyStore(inner, faults=Faults(Once(2), before=1))  # type: ignore[arg-type]

    RetryingStore(faulty, patience=patience(Timeline())).create(key="k", data=b"ours")

    assert content(inner, "k") == b"ours"


@pytest.mark.parametrize(
    ("how", "expected"), [({}, slice(None)), ({"first": 100, "length": 250_000}, slice(100, 250_100))]
)
def test_a_body_that_breaks_off_comes_out_once_and_whole(how: dict[str, int], expected: slice) -> None:
    data = Random(3).randbytes(300_000)
    inner = memory()
    inner.create(key="k", data=data)
    faulty = FaultyStore(inner, faults=Faults(Once(3), truncate=1))  # type: ignore[arg-type]

    assert content(RetryingStore(faulty, patience=patience(Timeline())), "k", **how) == data[expected]


def test_a_body_that_always_breaks_off_is_an_error() -> None:
    inner = memory()
    inner.create(key="k", data=b"0123456789" * 1000)
    faulty = FaultyStore(inner, faults=Faults(truncate=1))

    with pytest.raises(TruncatedBody):
        content(RetryingStore(faulty, patience=patience(Timeline(), attempts=3)), "k")


def test_a_list_that_breaks_off_goes_on_without_repeating() -> None:
    inner = memory()
    for number in range(5):
        inner.create(key=f"k{number}", data=b"")
    faulty = FaultyStore(inner, faults=Faults(Random(5), before=0.5))

    found = [
        info.key
        for info in RetryingStore(faulty, patience=patience(Timeline(), attempts=50, total=1e9)).list(prefix="")
    ]

    assert found == [f"k{number}" for number in range(5)]


def test_an_upload_is_patient_too() -> None:
    inner = memory()
    faulty = FaultyStore(inner, faults=Faults(Random(11), before=0.4))
    store = RetryingStore(faulty, patience=patience(Timeline(), attempts=50, total=1e9))
    upload = store.begin_upload(key="k")

    receipts = [upload.put_part(number, b"x" * number) for number in (1, 2, 3)]
    store.resume_upload(key="k", upload_id=upload.id).commit(receipts)

    assert content(inner, "k") == b"x" * 6
    assert list(store.pending_uploads(prefix="")) == []


@pytest.mark.parametrize("where", ["flip_on_read", "flip_on_write"])
def test_a_flipped_bit_changes_one_byte_and_no_length(where: str) -> None:
    inner = memory()
    store = FaultyStore(inner, faults=Faults(Random(2), **{where: 1.0}))  # type: ignore[arg-type]
    store.create(key="k", data=bytes(1000))

    found = content(store, "k")

    assert (len(found), sum(byte != 0 for byte in found)) == (1000, 1)
    assert (content(inner, "k") == bytes(1000)) == (where == "flip_on_read")


def test_the_same_seed_fails_in_the_same_places() -> None:
    def run() -> list[str]:
        store = FaultyStore(memory(), faults=Faults(Random(9), before=0.3, after=0.3))
        outcomes = []
        for number in range(30):
            try:
                store.create(key=f"k{number}", data=b"")
                outcomes.append("made")
            except StoreUnavailable as problem:
                outcomes.append(str(problem))
        return outcomes

    assert run() == run()
    assert len(set(run())) == 3
