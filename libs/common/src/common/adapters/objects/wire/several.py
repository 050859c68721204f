"""Requests of one thread that are under way at the same time, each over a connection of its own."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.connection import Connection
from common.adapters.objects.wire.refusal import Refusal
from common.adapters.objects.wire.wire import FAILED, Request, Wire, heard, read_refusal, refusal, sent

S = TypeVar("S")
T = TypeVar("T")


class Answered(NamedTuple, Generic[T]):
    """What came of one request."""

    what: T | Refusal | None
    """None: it was not sent."""
    began: float
    ended: float
    """In seconds of `time.perf_counter`; 0 where it was not sent."""


class Several(Generic[S, T]):
    """One round of requests. Not thread-safe. As `Wire`, it tries nothing again; unlike it, it does not replace
    a connection that the server closed while it lay idle: that is a refusal here."""

    def __init__(
        self,
        wire: Wire,
        take: Callable[[Incoming, S], T],
        *,
        at_once: int,
        going_on: Callable[[], bool],
        passes: Callable[[Refusal], bool],
    ) -> None:
        self._wire, self._take, self._at_once = wire, take, at_once
        self._going_on = going_on
        """Asked before each request; False: no other is sent."""
        self._passes = passes
        """Whether a refusal is of the kind after which no other request is sent."""
        self._flying: dict[int, tuple[Connection, int, float]] = {}
        """By the connection's number, with the request's place and when it was sent; the longest under way first."""
        self._free: dict[int, Connection] = {}
        self._waiting = select.poll()

    def all(self, requests: Sequence[Request | None], into: Sequence[S]) -> list[Answered[T]]:
        """What `take` makes of each answer and of its part of `into`, or what the store said instead, in order.
        None among the requests is not sent. Raises what `take` and `going_on` raise."""
        self._requests, self._into = requests, into
        self._answers: list[Answered[T]] = [Answered(None, 0.0, 0.0)] * len(requests)
        self._places = iter([place for place, request in enumerate(requests) if request is not None])
        try:
            self._fill()
            while self._flying:
                for number in self._ready():
                    self._hear(number)
                self._fill()
        finally:
            for connection, *_ in self._flying.values():
                connection.close()
            self._wire.give_back(self._free.values())
        return self._answers

    def _fill(self) -> None:
        """Send as many as may be under way."""
        while len(self._flying) < self._at_once:
            place = next(self._places, None)
            if place is None:
                return
            if not self._going_on():
                self._stop()
                return
            self._send(place)

    def _send(self, place: int) -> None:
        request, began = self._requests[place], time.perf_counter()
        assert request is not None
        try:
            connection = self._connection()
        except OSError as problem:
            self._answered(place, refusal(problem), began)
            return
        try:
            sent(connection, request)
        except FAILED as problem:
            self._waiting.unregister(connection.number)
            self._answered(place, refusal(problem), began)
        else:
            self._flying[connection.number] = connection, place, began

    def _connection(self) -> Connection:
        while self._free:
            number, connection = self._free.popitem()
            if connection.stands():
                return connection
            self._close(number, connection)
        connection = self._wire.connected()
        self._waiting.register(connection.number, select.POLLIN)
        return connection

    def _ready(self) -> list[int]:
        """The connections that have something to say. Who has been waited for as long as may be is given up."""
        number, (connection, place, began) = next(iter(self._flying.items()))
        until = began + self._wire.origin.read_timeout
        left = max(0.0, until - time.perf_counter())
        ready = [number for number, _ in self._waiting.poll(left * 1000)]
        if number not in ready and time.perf_counter() >= until:
            del self._flying[number]
            self._close(number, connection)
            self._answered(place, refusal(TimeoutError()), began)
        return ready

    def _hear(self, number: int) -> None:
        if number not in self._flying:
            # A free connection said something, or ended.
            self._close(number, self._free.pop(number))
            return
        if not self._flying[number][0].has_come():
            return
        connection, place, began = self._flying.pop(number)
        request, lasts = self._requests[place], False
        assert request is not None
        try:
            body = heard(connection, request)
            what = self._take(body, self._into[place]) if body.head.status < 300 else Refusal(read_refusal(body))
            lasts = body.taken and body.head.lasts
        except FAILED as problem:
            what = refusal(problem)
        finally:
            if lasts:
                connection.rests()
                self._free[number] = connection
            else:
                self._close(number, connection)
        self._answered(place, what, began)

    def _answered(self, place: int, what: T | Refusal, began: float) -> None:
        self._answers[place] = Answered(what, began, time.perf_counter())
        if isinstance(what, Refusal) and self._passes(what):
            self._stop()

    def _stop(self) -> None:
        self._places = iter([])

    def _close(self, number: int, connection: Connection) -> None:
        self._waiting.unregister(number)
        connection.close()
