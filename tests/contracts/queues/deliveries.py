"""Deliveries as tests compare and collect them."""

from __future__ import annotations

import time

from common.ports import Courier, Delivery

Seen = tuple[str, bytes, str]


def seen(delivery: Delivery | None) -> Seen | None:
    """Queue, body and message id."""
    return None if delivery is None else (delivery.queue, delivery.body, delivery.message_id)


def take_all(courier: Courier, queue: str, *, quiet: float = 0.5) -> list[str]:
    """Receive and ack until nothing came for `quiet` seconds; the message ids in order."""
    ids = []
    while (delivery := courier.receive([queue], wait=quiet)) is not None:
        courier.ack(delivery)
        ids.append(delivery.message_id)
    return ids


def take(courier: Courier, queue: str, *, count: int, within: float) -> list[str]:
    """Receive and ack until `count` messages came, or `within` seconds passed; the message ids in order."""
    ids: list[str] = []
    deadline = time.monotonic() + within
    while len(ids) < count and time.monotonic() < deadline:
        if (delivery := courier.receive([queue], wait=0.5)) is not None:
            courier.ack(delivery)
            ids.append(delivery.message_id)
    return ids


def next_one(courier: Courier, queue: str, *, within: float) -> Seen | None:
    """The next message; for those that take their time."""
    deadline = time.monotonic() + within
    while (delivery := courier.receive([queue], wait=0.3)) is None and time.monotonic() < deadline:
        pass
    return seen(delivery)
