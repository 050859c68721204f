"""How fast hints travel: `python benchmarks/queues.py [--messages 500] URL [URL …]`, one line per broker.

The queue is made under a prefix of its own and emptied; nothing else on the broker is touched.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from common.adapters.queues.registry import open_courier, shown
from common.ports import Courier

QUEUE = "bench"
BODY = b'{"hint": "segment_ready", "replica": "0197f3a2-6c1e-7b1a-9d5e-3f0c2a1b4d5e", "segment": 7}'


@dataclass(frozen=True)
class Figures:
    published: float
    """Messages a second, one publisher that waits for each confirm."""
    consumed: float
    """Messages a second, one consumer that acks each."""
    latencies: list[float]
    """Seconds from before publish until a waiting consumer has the message."""


def measure(url: str, *, messages: int, prefix: str) -> Figures:
    courier = open_courier(url, prefix=prefix)
    courier.declare([QUEUE])
    published = _rate(messages, lambda n: courier.publish(queue=QUEUE, body=BODY, message_id=str(n)))
    consumed = _rate(messages, lambda _: _take(courier))
    courier.close()
    return Figures(published, consumed, _latencies(url, count=min(messages, 100), prefix=prefix))


def _rate(count: int, act: Callable[[int], object]) -> float:
    began = time.perf_counter()
    for n in range(count):
        act(n)
    return count / (time.perf_counter() - began)


def _take(courier: Courier) -> bytes:
    delivery = courier.receive([QUEUE], wait=10)
    assert delivery is not None, "a message was lost"
    courier.ack(delivery)
    return delivery.body


def _latencies(url: str, *, count: int, prefix: str) -> list[float]:
    arrived: list[float] = []
    listening, taken = threading.Event(), threading.Semaphore(0)

    def consume() -> None:
        consumer = open_courier(url, prefix=prefix)
        consumer.receive([QUEUE], wait=0.1)
        listening.set()
        for _ in range(count):
            sent = float(_take(consumer))
            arrived.append(time.perf_counter() - sent)
            taken.release()
        consumer.close()

    thread = threading.Thread(target=consume)
    thread.start()
    listening.wait()
    publisher = open_courier(url, prefix=prefix)
    for n in range(count):
        time.sleep(0.02)
        publisher.publish(queue=QUEUE, body=str(time.perf_counter()).encode(), message_id=str(n))
        taken.acquire()
    thread.join()
    publisher.close()
    return arrived


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--messages", type=int, default=500)
    arguments = parser.parse_args()
    print(f"{'broker':<40} {'publish/s':>10} {'consume/s':>10} {'p50 ms':>8} {'p99 ms':>8}")
    for url in arguments.urls:
        figures = measure(url, messages=arguments.messages, prefix=f"bench{secrets.token_hex(3)}_")
        ms = [seconds * 1000 for seconds in figures.latencies]
        p99 = statistics.quantiles(ms, n=100)[98]
        rates = f"{figures.published:>10.0f} {figures.consumed:>10.0f}"
        print(f"{shown(url):<40} {rates} {statistics.median(ms):>8.1f} {p99:>8.1f}")


if __name__ == "__main__":
    main()
