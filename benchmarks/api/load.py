"""Load: clients on keep-alive connections, each asking again as soon as it has an answer.

A hand-written reader of answers on uvloop, because an HTTP library would take more of the machine than the service
measured: about 0.05 ms of CPU a request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import cast

import uvloop

_STATUS = slice(9, 12)
_LENGTH = b"content-length: "
_LEAST = 20
"""Requests that are waited for, however long they take."""


@dataclass(frozen=True)
class Ask:
    """One request, and the status that it must be answered with."""

    method: str
    path: str
    status: int = 200
    body: bytes = b""

    def encoded(self, token: str) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: benchmark\r\nAuthorization: Bearer {token}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body


@dataclass(frozen=True)
class Answered:
    """What a load measured."""

    requests: int
    seconds: float
    p50: float
    """Seconds, as p95 and worst."""
    p95: float
    worst: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class _Client(asyncio.Protocol):
    """Asks until its time is up; `done` is set then, or with what went wrong."""

    def __init__(self, asks: Iterator[Ask], token: str, *, until: float, times: list[float]) -> None:
        self._asks = asks
        self._token = token
        self._until = until
        self._times = times
        self._seen = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's, though they do what these do.
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._begun = time.perf_counter()
        if self._begun >= self._until and len(self._times) >= _LEAST:
            self.done.set_result(None)
            self._transport.close()
            return
        self._asked = next(self._asks)
        self._transport.write(self._asked.encoded(self._token))

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._seen.find(_LENGTH, 0, end) + len(_LENGTH)
        length = int(self._seen[at : self._seen.index(b"\r", at)])
        if len(self._seen) < end + 4 + length:
            return
        if int(self._seen[_STATUS]) != self._asked.status:
            self._fail(f"{self._asked.method} {self._asked.path}: {bytes(self._seen[:600])!r}")
            return
        self._times.append(time.perf_counter() - self._begun)
        self._seen.clear()
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection was lost: {error}")

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))
            self._transport.close()


def load(port: int, asks: Callable[[], Iterator[Ask]], *, tokens: list[str], clients: int, seconds: float) -> Answered:
    """Ask for `seconds`; each client draws its requests from an iterator of its own and takes the next token.

    Raises RuntimeError for an answer with another status than expected.
    """
    return uvloop.run(_load(port, asks, tokens=tokens, clients=clients, seconds=seconds))


async def _load(
    port: int, asks: Callable[[], Iterator[Ask]], *, tokens: list[str], clients: int, seconds: float
) -> Answered:
    times: list[float] = []
    started = time.perf_counter()
    until, loop = started + seconds, asyncio.get_running_loop()
    all_of_them = [_Client(asks(), tokens[number % len(tokens)], until=until, times=times) for number in range(clients)]
    for client in all_of_them:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(client.done for client in all_of_them))
    took = time.perf_counter() - started
    cuts = quantiles(times, n=100)
    return Answered(len(times), took, cuts[49], cuts[94], max(times))
