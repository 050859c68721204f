"""Load: clients on keep-alive connections, each asking again as soon as it has an answer.

A hand-written reader of answers, because an HTTP library would take more of the machine than the service measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Ask:
    """One request, and the status that it must be answered with."""

    method: str
    path: str
    status: tuple[int, ...] = (200,)
    body: bytes = b""

    def encoded(self) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: benchmark\r\nContent-Length: {len(self.body)}\r\n"
        return (head + "Content-Type: application/json\r\n\r\n").encode() + self.body


@dataclass(frozen=True)
class Answered:
    """What a load measured."""

    requests: int
    seconds: float
    p50: float
    """Seconds, as p95 and worst."""
    p95: float
    worst: float
    body: bytes = b""
    """Of the last answer."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def load(port: int, asks: Callable[[], Iterator[Ask]], *, clients: int, seconds: float) -> Answered:
    """Ask for `seconds`; each client draws its requests from an iterator of its own."""
    return asyncio.run(_load(port, asks, clients=clients, seconds=seconds))


async def _load(port: int, asks: Callable[[], Iterator[Ask]], *, clients: int, seconds: float) -> Answered:
    times: list[float] = []
    started = time.perf_counter()
    last = await asyncio.gather(*(_client(port, asks(), started + seconds, times) for _ in range(clients)))
    took = time.perf_counter() - started
    cuts = quantiles(times, n=100)
    return Answered(len(times), took, cuts[49], cuts[94], max(times), last[-1])


async def _client(port: int, asks: Iterator[Ask], until: float, times: list[float]) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b""
    try:
        while (begun := time.perf_counter()) < until:
            ask = next(asks)
            writer.write(ask.encoded())
            status, body = await _answer(reader)
            if status not in ask.status:
                raise RuntimeError(f"{ask.method} {ask.path}: {status} {body[:300]!r}")
            times.append(time.perf_counter() - begun)
    finally:
        writer.close()
    return body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return status, await reader.readexactly(int(value))
    raise RuntimeError(f"an answer without a length: {head!r}")
