"""What survives kill -9: of the broker, and of a worker that holds a message."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.adapters.queues.registry import open_courier
from common.errors import BrokerUnavailable
from common.ports import Courier
from contracts.queues.conftest import Broker, Killable
from contracts.queues.deliveries import next_one, take, take_all

HOLDER = Path(__file__).with_name("holder.py")


def test_a_message_held_by_a_worker_that_is_killed_comes_back(remote_broker: Broker) -> None:
    remote_broker.visibility_timeout = 1
    courier = remote_broker.courier("work")
    courier.publish(queue="work", body=b'{"n": 1}', message_id="held")
    command = [sys.executable, str(HOLDER), remote_broker.url, remote_broker.prefix, "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "held"

        worker.kill()

    assert next_one(courier, "work", within=6) == ("work", b'{"n": 1}', "held")


@pytest.mark.parametrize("name", ["pgmq", "rabbitmq"])
def test_every_publish_that_returned_survives_a_broker_that_is_killed(
    name: str, private_server: Callable[[str], Killable]
) -> None:
    server = private_server(name)
    url = server.url
    _opened(url).close()
    confirmed: list[str] = []

    with ThreadPoolExecutor(2) as threads:
        publishing = threads.submit(_publish_until_it_fails, url, confirmed)
        waiting = threads.submit(lambda: open_courier(url).receive(["idle"], wait=60))
        _until(lambda: len(confirmed) >= 300)
        server.kill()
        failures = [publishing.exception(timeout=30), waiting.exception(timeout=30)]
    server.restart()
    courier = _opened(url, within=30)
    received = take(courier, "work", count=len(confirmed), within=10) + take_all(courier, "work", quiet=0.3)

    assert [type(failure) for failure in failures] == [BrokerUnavailable, BrokerUnavailable]
    assert set(confirmed) - set(received) == set()
    assert len(received) <= len(confirmed) + 1  # the one that was on its way


def test_a_woken_receiver_is_quick_again_after_postgresql_crashed(private_server: Callable[[str], Killable]) -> None:
    server = private_server("pgmq")
    _opened(server.url).close()
    server.kill()
    server.restart()

    publisher = _opened(server.url)  # declaring again is what sets the notification going
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(_listen_for_three, server.url)
        latencies = []
        for n in range(3):
            time.sleep(0.3)
            publisher.publish(queue="work", body=str(time.monotonic()).encode(), message_id=str(n))
        latencies = waiting.result(timeout=20)

    assert max(latencies) < 0.5  # by looking only now and then it would be up to 1 s


def _listen_for_three(url: str) -> list[float]:
    courier = open_courier(url)
    latencies = []
    for _ in range(3):
        delivery = courier.receive(["work"], wait=10)
        assert delivery is not None
        latencies.append(time.monotonic() - float(delivery.body))
        courier.ack(delivery)
    courier.close()
    return latencies


def _publish_until_it_fails(url: str, confirmed: list[str]) -> None:
    courier = open_courier(url)
    for n in range(1_000_000):
        courier.publish(queue="work", body=b"{}", message_id=str(n))
        confirmed.append(str(n))


def _opened(url: str, *, within: float = 10) -> Courier:
    """A courier with its queues; as a worker does, opened anew until the broker is there."""
    deadline = time.monotonic() + within
    while True:
        try:
            courier = open_courier(url)
            courier.declare(["work", "idle"])
        except BrokerUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return courier


def _until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
