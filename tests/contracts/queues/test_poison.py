"""A worker on each kind of broker is fed what strangers might send: each is set aside, and work goes on."""

from __future__ import annotations

import gzip
import os
import pickle
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from kombu import Connection
from sqlalchemy import Engine

from common import messages
from common.adapters.queues.registry import open_courier
from common.ledger.engine import open_engine
from common.runtime.housekeeping import Relay
from common.runtime.leases import Leases
from common.runtime.worker import Identity, Worker
from common.topology import COPYING, Lane, hint_for
from contracts.queues.conftest import Broker
from unit.common.runtime.workers import QUICK, Steps, a_segment, letters, until

QUEUE = COPYING.queue(Lane.BACKFILL)
MIB = 1 << 20
LARGEST = {"sqs": 200 * 1024}
"""Bytes of the largest message that a broker takes, where that is less than 10 MiB."""


class Trap:
    """Unpickling it makes a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self._directory,)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test", pool_size=10)
    yield engine
    engine.dispose()


def send(broker: Broker, body: bytes, *, content_type: str = "application/json", **headers: str) -> None:
    """Put it in the queue as a stranger would, who uses kombu."""
    if broker.name == "memory":
        broker.courier(QUEUE)._broker.publish(f"{broker.prefix}{QUEUE}", body, "")  # type: ignore[attr-defined]
        return
    parts = urlsplit(broker.url)
    url = f"{'pgmq' if broker.name == 'pgmq' else parts.scheme}://{parts.netloc}{parts.path}"
    options: dict[str, dict[str, Any]] = {
        "pgmq": {"init_extension": False},
        "sqs": {"region": "us-east-1", "is_secure": False},
        "rabbitmq": {"confirm_publish": True},
    }
    with Connection(url, transport_options=options[broker.name]) as connection:
        connection.Producer().publish(
            body,
            routing_key=f"{broker.prefix}{QUEUE}",
            content_type=content_type,
            content_encoding="binary",
            headers=headers,
        )


@contextmanager
def a_worker(engine: Engine, broker: Broker, step: Steps) -> Iterator[None]:
    """A replicator's loop on the broker."""
    stopping = threading.Event()

    def opened() -> Any:
        return open_courier(broker.url, prefix=broker.prefix, visibility_timeout=broker.visibility_timeout)

    worker = Worker(
        engine=engine,
        open_courier=opened,
        queues=[QUEUE],
        steps={COPYING: step},
        identity=Identity(worker="w", build="b"),
        patience=QUICK,
        relay=Relay(engine=engine, open_courier=opened, random=Random(1)),
        leases=Leases(engine=engine, lease=QUICK.lease, stopping=stopping),
        stopping=stopping,
        concurrency=1,
        random=Random(1),
    )
    thread = threading.Thread(target=worker.run, kwargs={"stop_within": timedelta(seconds=5)})
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(15)
    assert not thread.is_alive()


def test_what_is_no_hint_is_set_aside_with_its_reason_and_the_next_hint_is_worked_on(
    broker: Broker, engine: Engine, tmp_path: Path
) -> None:
    broker.courier(QUEUE)
    segment, step = a_segment(engine), Steps()
    large = LARGEST.get(broker.name, 10 * MIB)
    poison: dict[str, tuple[bytes, str]] = {
        "not JSON": (b"\xff\xfe\x00", "application/json"),
        "nothing": (b"", "application/json"),
        "a type nobody knows": (b'{"type":"SegmentBurnt","segment_id":1}', "application/json"),
        "no type": (b'{"segment_id":1,"version":99}', "application/json"),
        "an id that no row has": (b'{"type":"SegmentThawed","segment_id":' + b"9" * 400 + b"}", "application/json"),
        "another queue's hint": (messages.encode(messages.ReplicaRequested(replica_id=1)), "application/json"),
        "brackets": (b"[" * 60_000, "application/json"),
        "far too large": (b'{"type":"SegmentThawed","segment_id":1,"x":"' + b"x" * large, "application/json"),
        "a pickle": (pickle.dumps(Trap(tmp_path / "sprung")), "application/x-python-serialize"),
        "YAML that runs": (b'!!python/object/apply:os.mkdir ["/"]', "application/x-yaml"),
    }
    for body, content_type in poison.values():
        send(broker, body, content_type=content_type)
    send(broker, messages.encode(hint_for(COPYING, segment)), content_type="text/html")

    with a_worker(engine, broker, step):
        until(lambda: step.rows and len(letters(engine)) == len(poison), seconds=60)

    found = letters(engine)
    assert {code for code, _ in found} == {"not_a_hint"}
    assert all(reason for _, reason in found)
    assert step.rows == [segment]
    assert not (tmp_path / "sprung").exists()
    assert broker.courier(QUEUE).depths([QUEUE]) == {QUEUE: 0}


@pytest.mark.parametrize("packed", [zlib.compress, gzip.compress])
def test_a_message_that_says_it_is_compressed_is_not_unpacked(
    packed: Callable[[bytes], bytes], rabbitmq_broker: Broker
) -> None:
    courier = rabbitmq_broker.courier(QUEUE)
    body = packed(b" " * (64 * MIB))

    send(rabbitmq_broker, body, compression="application/x-gzip")

    delivery = courier.receive([QUEUE], wait=5)
    assert delivery is not None
    assert delivery.body == body
    courier.ack(delivery)
