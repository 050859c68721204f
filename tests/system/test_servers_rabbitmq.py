"""A private RabbitMQ broker, killed and started again."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest

from local_stack.servers import rabbitmq

QUEUE = "kept"


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach (pytest's own are closed)."""
    path = Path(tempfile.mkdtemp(prefix="backfill-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def channel_to(broker: rabbitmq.RabbitMQ) -> amqp.Channel:
    host = broker.url.partition("@")[2].strip("/")
    connection = amqp.Connection(host, userid="guest", password="guest", confirm_publish=True)
    connection.connect()
    return connection.channel()


def wait_until_registered(place: Path) -> None:
    """RabbitMQ writes the name of a new quorum queue to disk within a second; killed before, it loses the queue."""
    deadline = time.monotonic() + 20
    while not any(b"%2F_" + QUEUE.encode() in file.read_bytes() for file in place.rglob("quorum/*/names.dets")):
        assert time.monotonic() < deadline, "the queue was never written to names.dets"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(rabbitmq.missing() is not None, reason=str(rabbitmq.missing()))
def test_a_confirmed_message_in_a_quorum_queue_outlives_kill_nine_of_the_broker(place: Path) -> None:
    with rabbitmq.RabbitMQ(place) as broker:
        channel = channel_to(broker)
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        wait_until_registered(place)
        channel.basic_publish_confirm(amqp.Message("hint", delivery_mode=2), routing_key=QUEUE)
        broker.kill()
        broker.restart()
        received: list[amqp.Message] = []
        again = channel_to(broker)
        again.basic_consume(QUEUE, callback=received.append, no_ack=True)
        again.connection.drain_events(timeout=30)
        assert [message.body for message in received] == ["hint"]
