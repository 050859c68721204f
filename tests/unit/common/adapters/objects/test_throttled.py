"""A store within its limits: turns for every request, and what the store's answers do to them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.adapters.objects.registry import open_store
from common.adapters.objects.wrappers.forwarding import ForwardingStore
from common.adapters.objects.wrappers.pace import Pace
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.retrying import RetryingStore
from common.adapters.objects.wrappers.throttled import ThrottledStore
from common.adapters.objects.wrappers.turns import Turns
from common.domain.location import Provider
from common.errors import NotFound, Throttled
from common.ports import ObjectInfo, ObjectStore
from unit.common.adapters.objects.timeline import Timeline


class Busy(ForwardingStore):
    """Asks for less so many times, and knows how many requests it ever had at once."""

    def __init__(self, *, refusals: int = 0, meet: int = 0, retry_after: float | None = None) -> None:
        super().__init__(MemoryStore(bucket=MemoryBucket()))
        self.refusals, self.retry_after = refusals, retry_after
        self.now = self.most = self.calls = 0
        self._lock = threading.Lock()
        self._all_here = threading.Barrier(meet) if meet else None

    def create(self, *, key: str, data: bytes | memoryview, **facts: Any) -> ObjectInfo:
        with self._lock:
            self.calls += 1
            self.now += 1
            self.most = max(self.most, self.now)
            refused = self.calls <= self.refusals
        try:
            if self._all_here is not None:
                self._all_here.wait(5)
            if refused:
                raise Throttled("SlowDown", retry_after=self.retry_after)
            return self.store.create(key=key, data=data, **facts)
        finally:
            with self._lock:
                self.now -= 1


def content(store: ObjectStore, key: str) -> bytes:
    with store.read(key=key) as body:
        return b"".join(bytes(block) for block in body)


def limited(store: ObjectStore, *, ceiling: int = 1, clock: Any = None, pace: Pace | None = None) -> ThrottledStore:
    turns = Turns(ceiling=ceiling, name="azure", clock=clock) if clock else Turns(ceiling=ceiling, name="azure")
    return ThrottledStore(store, turns=turns, pace=pace)


def test_bytes_are_paced_by_the_clock() -> None:
    timeline = Timeline()
    store = limited(MemoryStore(bucket=MemoryBucket()), pace=Pace(lambda: 100, timeline, timeline.sleep))

    store.create(key="k", data=bytes(50))
    assert content(store, "k") == bytes(50)
    upload = store.begin_upload(key="l")
    upload.commit([upload.put_part(1, bytes(100))])
    store.create(key="m", data=b"x")

    assert timeline.now == pytest.approx(2.0)


def test_a_turn_is_given_back_after_an_error_and_an_unfinished_read() -> None:
    store = limited(MemoryStore(bucket=MemoryBucket()))
    with pytest.raises(NotFound):
        store.head(key="k")
    store.create(key="k", data=b"x")
    with store.read(key="k"):
        pass

    for info in store.list(prefix=""):
        assert content(store, info.key) == b"x"


def test_a_list_of_several_pages_is_whole() -> None:
    inner = MemoryStore(bucket=MemoryBucket())
    for number in range(2000):
        inner.create(key=f"{number:04}", data=b"")

    assert [info.key for info in limited(inner).list(prefix="")] == [f"{number:04}" for number in range(2000)]


def test_no_more_requests_are_in_flight_than_the_ceiling_and_all_of_it_is_used() -> None:
    busy = Busy(meet=3)
    store = limited(busy, ceiling=3)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: store.create(key=str(n), data=b"x"), range(12)))

    assert (busy.calls, busy.most) == (12, 3)


def test_the_limit_falls_once_for_a_burst_of_refusals_and_says_so() -> None:
    timeline, busy = Timeline(), Busy(refusals=8, meet=8)
    store = limited(busy, ceiling=64, clock=timeline)

    with capture_logs() as logs, ThreadPoolExecutor(8) as pool:
        ended = [pool.submit(store.create, key=str(n), data=b"x") for n in range(8)]
        errors = [future.exception() for future in ended]

    assert [type(error) for error in errors] == [Throttled] * 8
    assert logs == [
        {
            "event": "store asks for less",
            "log_level": "warning",
            "location": "azure",
            "requests": 4,
            "retry_after": None,
            "reason": "SlowDown",
        }
    ]


def test_the_limit_recovers_with_the_answers_and_says_so() -> None:
    timeline = Timeline()
    turns = Turns(ceiling=2, name="azure", clock=timeline)
    store = ThrottledStore(Busy(refusals=2, meet=2), turns=turns)
    with ThreadPoolExecutor(2) as pool:
        ended = [pool.submit(store.create, key=key, data=b"") for key in "ab"]
    assert [type(future.exception()) for future in ended] == [Throttled, Throttled]
    assert turns.limit == 1

    with capture_logs() as logs:
        for _ in range(3):
            timeline.now += 1
            list(store.list(prefix=""))

    assert turns.limit == 2
    assert logs == [{"event": "store takes as much as before", "log_level": "info", "location": "azure", "requests": 2}]


def test_nobody_begins_before_the_store_wants_to_be_asked_again() -> None:
    store = limited(Busy(refusals=1, retry_after=0.3), ceiling=8)
    with pytest.raises(Throttled):
        store.create(key="a", data=b"")
    other = threading.Thread(target=lambda: store.create(key="b", data=b""))

    other.start()
    other.join(0.1)
    waiting = other.is_alive()
    other.join(5)

    assert (waiting, other.is_alive()) == (True, False)
    assert store.head(key="b").size == 0


def test_a_retry_passes_the_limiter_again() -> None:
    timeline, busy = Timeline(), Busy(refusals=2)
    pace = Pace(lambda: 100, timeline, timeline.sleep)
    patience = Patience(clock=timeline, sleep=timeline.sleep, first_wait=0)

    RetryingStore(limited(busy, pace=pace), patience=patience).create(key="k", data=bytes(100))

    assert (busy.calls, timeline.now) == (3, pytest.approx(2.0))


def test_what_another_store_says_while_a_body_is_open_does_not_change_the_limit() -> None:
    turns = Turns(ceiling=8)
    store = ThrottledStore(MemoryStore(bucket=MemoryBucket()), turns=turns)
    store.create(key="k", data=b"x")

    with pytest.raises(Throttled), store.read(key="k"):
        raise Throttled("somebody else")

    assert turns.limit == 8


def test_an_opened_store_has_its_locations_limits() -> None:
    config = LocationConfig(
        id="x", provider=Provider.MEMORY, bucket="limits", max_concurrency=3, bandwidth="1 MB/s", timezone="UTC"
    )

    store: Any = open_store(config)

    assert (type(store), type(store.store)) == (RetryingStore, ThrottledStore)
    assert store.store._turns.limit == 3
    assert store.store._pace.rate() == 1e6
