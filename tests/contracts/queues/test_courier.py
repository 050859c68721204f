"""The contract of common.ports.Courier, for every broker."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import BrokerUnavailable
from contracts.queues.conftest import Broker
from contracts.queues.deliveries import next_one, seen, take, take_all


def test_a_published_message_arrives_as_it_was_sent(broker: Broker) -> None:
    courier = broker.courier("work")
    body = '{"path": "data/Ærø/𝔘 café e\u0301.tif", "null": "\\u0000"}'.encode()

    courier.publish(queue="work", body=body, message_id="3f1e-ü")

    assert seen(courier.receive(["work"], wait=5)) == ("work", body, "3f1e-ü")


def test_sixty_kilobytes_arrive_unchanged(broker: Broker) -> None:
    courier = broker.courier("work")
    body = b'{"x": "' + b"0123456789abcdef" * 3840 + b'"}'

    courier.publish(queue="work", body=body, message_id="large")

    assert seen(courier.receive(["work"], wait=5)) == ("work", body, "large")


def test_a_body_too_large_for_a_hint_is_not_published(broker: Broker) -> None:
    courier = broker.courier("work")

    with pytest.raises(ValueError, match="65537 bytes"):
        courier.publish(queue="work", body=b"x" * 65537, message_id="huge")

    assert courier.receive(["work"], wait=0) is None


def test_after_close_all_that_was_not_acked_comes_back_and_nothing_else(broker: Broker) -> None:
    broker.visibility_timeout = 1
    first = broker.courier("work")
    for message_id in ["acked", "kept"]:
        first.publish(queue="work", body=b"{}", message_id=message_id)
    acked = first.receive(["work"], wait=5)
    assert acked is not None

    first.ack(acked)
    first.ack(acked)
    assert first.receive(["work"], wait=5) is not None
    first.close()

    assert take_all(broker.courier(), "work", quiet=1.2) == ["kept"]


def test_messages_fetched_ahead_come_back_when_the_courier_closes(broker: Broker) -> None:
    broker.visibility_timeout = 1
    first = broker.courier("work", "rest")
    for queue in ["work", "rest"]:
        for n in range(3):
            first.publish(queue=queue, body=b"{}", message_id=f"{queue}{n}")
    assert first.receive(["work", "rest"], wait=5) is not None
    first.close()

    second = broker.courier()

    assert sorted(take(second, "work", count=3, within=5)) == ["work0", "work1", "work2"]
    assert sorted(take(second, "rest", count=3, within=5)) == ["rest0", "rest1", "rest2"]


def test_a_message_given_back_comes_again_soon(broker: Broker) -> None:
    courier = broker.courier("work")
    courier.publish(queue="work", body=b"{}", message_id="1")
    delivery = courier.receive(["work"], wait=5)
    assert delivery is not None

    courier.give_back(delivery)

    assert next_one(courier, "work", within=4) == ("work", b"{}", "1")


def test_the_first_named_queue_is_preferred(broker: Broker) -> None:
    courier = broker.courier("urgent", "usual")
    for queue in ["usual", "urgent"]:
        for n in range(3):
            courier.publish(queue=queue, body=b"{}", message_id=f"{queue}{n}")

    order = []
    for _ in range(6):
        delivery = courier.receive(["urgent", "usual"], wait=5)
        assert delivery is not None
        courier.ack(delivery)
        # Time for the broker to send the next one ahead, where it does.
        courier.receive([], wait=0.3 if broker.name == "rabbitmq" else 0)
        order.append(delivery.queue)

    assert order == ["urgent"] * 3 + ["usual"] * 3


def test_receive_waits_and_then_says_none(broker: Broker) -> None:
    courier = broker.courier("work", "rest")
    courier.receive(["work", "rest"], wait=0)

    began = time.monotonic()
    answer = courier.receive(["work", "rest"], wait=0.6)
    took = time.monotonic() - began

    assert answer is None
    assert 0.55 <= took <= 1.6


def test_a_waiting_receiver_is_woken(broker: Broker) -> None:
    publisher = broker.courier("work")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(lambda: broker.courier().receive(["work"], wait=10))
        time.sleep(0.2)
        began = time.monotonic()
        publisher.publish(queue="work", body=b"{}", message_id="1")
        delivery = waiting.result(timeout=15)

    assert seen(delivery) == ("work", b"{}", "1")
    assert time.monotonic() - began < 1.5


def test_a_queue_nobody_declared_cannot_be_published_to(broker: Broker) -> None:
    with pytest.raises(BrokerUnavailable, match="absent"):
        broker.courier("work").publish(queue="absent", body=b"{}", message_id="1")

    courier = broker.courier("absent")
    courier.publish(queue="absent", body=b"{}", message_id="2")
    assert seen(courier.receive(["absent"], wait=5)) == ("absent", b"{}", "2")


def test_a_courier_that_failed_refuses_further_work(remote_broker: Broker) -> None:
    courier = remote_broker.courier("work")
    with pytest.raises(BrokerUnavailable):
        courier.publish(queue="absent", body=b"{}", message_id="1")

    with pytest.raises(BrokerUnavailable, match="open a new one"):
        courier.publish(queue="work", body=b"{}", message_id="2")


def test_declaring_from_eight_threads_at_once_makes_the_queues(broker: Broker) -> None:
    queues = ["one", "two", "three"]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: broker.courier(*queues).declare(queues), range(8)))

    assert broker.courier().depths(queues) == {"one": 0, "two": 0, "three": 0}


def test_depths_counts_what_waits(broker: Broker) -> None:
    courier = broker.courier("work", "rest")
    for n in range(5):
        courier.publish(queue="work", body=b"{}", message_id=str(n))

    assert broker.courier().depths(["work", "rest"]) == {"work": 5, "rest": 0}


def test_two_consumers_share_the_work(broker: Broker) -> None:
    publisher = broker.courier("work")
    ids = [f"{n:02}" for n in range(30)]
    for message_id in ids:
        publisher.publish(queue="work", body=b"{}", message_id=message_id)

    with ThreadPoolExecutor(2) as threads:
        taken = list(threads.map(lambda _: take_all(broker.courier(), "work"), range(2)))

    assert sorted(taken[0] + taken[1]) == ids


def test_a_courier_is_refused_to_a_second_thread(remote_broker: Broker) -> None:
    courier = remote_broker.courier("work")

    with ThreadPoolExecutor(1) as other, pytest.raises(RuntimeError, match="another thread"):
        other.submit(courier.receive, ["work"], wait=0).result()
