"""Anybody who reaches a broker can put anything in a queue. It arrives as bytes, and nothing of it is ever run."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest
from kombu import Connection
from psycopg.types.json import Jsonb

from contracts.queues.conftest import Broker
from contracts.queues.deliveries import seen


class Trap:
    """Unpickling it makes a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self._directory,)


def _as_kombu_does(broker: Broker, body: bytes, *, content_type: str) -> None:
    """Published to the queue `work` by a stranger who uses kombu."""
    parts = urlsplit(broker.url)
    url = f"{'pgmq' if broker.name == 'pgmq' else parts.scheme}://{parts.netloc}{parts.path}"
    options = {
        "pgmq": {"init_extension": False},
        "sqs": {"region": "us-east-1", "is_secure": False},
        "rabbitmq": {"confirm_publish": True},
    }
    with Connection(url, transport_options=options[broker.name]) as connection:
        connection.Producer().publish(
            body, routing_key=f"{broker.prefix}work", content_type=content_type, content_encoding="binary"
        )


def test_a_pickle_arrives_as_bytes_and_is_not_run(remote_broker: Broker, tmp_path: Path) -> None:
    courier = remote_broker.courier("work")
    body = pickle.dumps(Trap(tmp_path / "sprung"))

    _as_kombu_does(remote_broker, body, content_type="application/x-python-serialize")

    assert seen(courier.receive(["work"], wait=5)) == ("work", body, "")
    assert not (tmp_path / "sprung").exists()


def test_a_message_too_large_for_a_hint_arrives_as_bytes(remote_broker: Broker) -> None:
    courier = remote_broker.courier("work")
    body = b"\xff\x00" * 50_000

    _as_kombu_does(remote_broker, body, content_type="application/data")

    assert seen(courier.receive(["work"], wait=5)) == ("work", body, "")


@pytest.mark.parametrize(
    "payload",
    [
        [1, 2],
        "plain text",
        7,
        None,
        {},
        {"properties": 5},
        {"body": "not base64!", "properties": {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {}}},
        {"body": "eA==", "properties": {"body_encoding": "rot13"}},
        {"body": {"deep": True}, "properties": {"body_encoding": "base64"}, "headers": 3},
    ],
    ids=str,
)
def test_json_that_is_no_envelope_arrives_as_that_json(payload: object, pgmq_broker: Broker) -> None:
    courier = pgmq_broker.courier("work")
    with psycopg.connect(pgmq_broker.url) as connection:
        connection.execute("SELECT pgmq.send(%s, %s::jsonb)", (f"{pgmq_broker.prefix}work", Jsonb(payload)))

    delivery = courier.receive(["work"], wait=5)

    assert delivery is not None
    assert json.loads(delivery.body) == payload
    courier.ack(delivery)
    assert courier.depths(["work"]) == {"work": 0}


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("plain text", b"plain text"),
        ('{"properties": 5}', b'{"properties": 5}'),
        ("eyJhIjogMX0=", b'{"a": 1}'),  # JSON in base64, as kombu would send it
        ("W1tbW1tb", b"W1tbW1tb"),
        ("dGV4dA==", b"dGV4dA=="),
    ],
)
def test_text_that_is_no_envelope_arrives_as_that_text(text: str, arrives: bytes, sqs_broker: Broker) -> None:
    courier = sqs_broker.courier("work")
    sqs = _boto(sqs_broker)
    queue_url = sqs.get_queue_url(QueueName=f"{sqs_broker.prefix}work")["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody=text)

    delivery = courier.receive(["work"], wait=5)

    assert delivery is not None
    assert delivery.body == arrives
    courier.ack(delivery)
    assert courier.receive(["work"], wait=0) is None


def _boto(broker: Broker) -> Any:
    parts = urlsplit(broker.url)
    return boto3.client(
        "sqs",
        endpoint_url=f"http://{parts.hostname}:{parts.port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )


def test_sqs_queues_keep_what_was_delivered_too_often(sqs_broker: Broker) -> None:
    sqs_broker.courier("work")
    sqs = _boto(sqs_broker)
    queue_url = sqs.get_queue_url(QueueName=f"{sqs_broker.prefix}work")["QueueUrl"]

    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])

    policy = json.loads(answer["Attributes"]["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"].split(":")[-1], int(policy["maxReceiveCount"])) == (
        f"{sqs_broker.prefix}work_dead",
        20,
    )


def test_rabbitmq_keeps_what_was_delivered_too_often(rabbitmq_broker: Broker) -> None:
    courier = rabbitmq_broker.courier("work")
    courier.publish(queue="work", body=b"{}", message_id="poison")

    times = 0
    while (delivery := courier.receive(["work"], wait=0.5)) is not None:
        courier.give_back(delivery)
        times += 1

    assert times == 21
    assert seen(courier.receive(["work_dead"], wait=5)) == ("work_dead", b"{}", "poison")
