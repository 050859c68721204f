"""The broker inside the process: time by an injected clock, and bad days by an injected random."""

from __future__ import annotations

from random import Random

import pytest

from common.adapters.queues.memory import MemoryBroker, MemoryCourier, Mischief, broker_named
from common.errors import BrokerUnavailable


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _courier(broker: MemoryBroker) -> MemoryCourier:
    courier = MemoryCourier(broker=broker)
    courier.declare(["work"])
    return courier


def _received(courier: MemoryCourier) -> list[str]:
    ids = []
    while (delivery := courier.receive(["work"], wait=0)) is not None:
        ids.append(delivery.message_id)
    return ids


def _publish(courier: MemoryCourier, count: int) -> list[str]:
    ids = [str(n) for n in range(count)]
    for message_id in ids:
        courier.publish(queue="work", body=b"{}", message_id=message_id)
    return ids


def test_a_message_is_invisible_until_its_time_has_come() -> None:
    clock = Clock()
    courier = _courier(MemoryBroker(clock=clock, visibility_timeout=60))
    _publish(courier, 1)

    when = {}
    for seconds in [0, 59.9, 60]:
        clock.now = 1000.0 + seconds
        when[seconds] = _received(courier)

    assert when == {0: ["0"], 59.9: [], 60: ["0"]}


def test_an_ack_after_the_message_became_visible_again_still_removes_it() -> None:
    clock = Clock()
    courier = _courier(MemoryBroker(clock=clock, visibility_timeout=60))
    _publish(courier, 1)
    late = courier.receive(["work"], wait=0)
    assert late is not None
    clock.now += 61

    courier.ack(late)

    assert courier.depths(["work"]) == {"work": 0}


def test_couriers_of_one_broker_see_the_same_queues() -> None:
    broker = MemoryBroker()
    _publish(_courier(broker), 2)

    assert _received(MemoryCourier(broker=broker)) == ["0", "1"]


def test_a_name_means_one_broker_in_the_whole_process() -> None:
    assert broker_named("a") is broker_named("a")
    assert broker_named("a") is not broker_named("b")


def test_a_closed_courier_says_so() -> None:
    courier = _courier(MemoryBroker())
    courier.close()

    with pytest.raises(BrokerUnavailable, match="closed"):
        courier.receive(["work"], wait=0)


def test_a_lossy_broker_confirms_and_loses() -> None:
    courier = _courier(MemoryBroker(mischief=Mischief(Random(1), lose=0.5)))

    published = _publish(courier, 100)
    received = _received(courier)

    assert 30 < len(received) < 70
    assert received == [message_id for message_id in published if message_id in received]


def test_a_duplicating_broker_delivers_some_messages_twice() -> None:
    courier = _courier(MemoryBroker(mischief=Mischief(Random(2), duplicate=0.5)))

    published = _publish(courier, 100)
    received = _received(courier)

    assert 130 < len(received) < 170
    assert sorted(set(received)) == sorted(published)


def test_a_reordering_broker_delivers_every_message_in_another_order() -> None:
    courier = _courier(MemoryBroker(mischief=Mischief(Random(3), reorder=1.0)))

    published = _publish(courier, 50)
    received = _received(courier)

    assert received != published
    assert sorted(received) == sorted(published)


def test_the_same_seed_makes_the_same_mischief() -> None:
    def day() -> list[str]:
        courier = _courier(MemoryBroker(mischief=Mischief(Random(7), lose=0.2, duplicate=0.2, reorder=0.5)))
        _publish(courier, 40)
        return _received(courier)

    assert day() == day()


def test_a_broker_that_lost_its_disk_has_empty_queues() -> None:
    broker = MemoryBroker()
    courier = _courier(broker)
    _publish(courier, 3)

    broker.lose_everything()

    assert courier.depths(["work"]) == {"work": 0}
