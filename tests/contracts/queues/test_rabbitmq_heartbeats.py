"""RabbitMQ ends a connection that shows no sign of life; calling receive is the sign."""

from __future__ import annotations

import time

import pytest

from common.adapters.queues.courier import KombuCourier
from common.adapters.queues.rabbitmq import RabbitLine
from common.errors import BrokerUnavailable
from contracts.queues.conftest import Broker
from contracts.queues.deliveries import take_all


def _impatient(broker: Broker) -> KombuCourier:
    return KombuCourier(
        broker="rabbitmq", prefix=broker.prefix, connect=lambda: RabbitLine(url=broker.url, heartbeat=1)
    )


def test_receiving_for_no_queue_keeps_a_publisher_connected_and_silence_is_noticed_before_sending(
    rabbitmq_broker: Broker,
) -> None:
    consumer = rabbitmq_broker.courier("work")
    lively, silent = _impatient(rabbitmq_broker), _impatient(rabbitmq_broker)
    for _ in range(16):
        lively.receive([], wait=0)
        time.sleep(0.25)

    lively.publish(queue="work", body=b"{}", message_id="lively")
    with pytest.raises(BrokerUnavailable):
        silent.publish(queue="work", body=b"{}", message_id="silent")

    assert take_all(consumer, "work", quiet=0.3) == ["lively"]
    lively.close()
