"""An end by the clock for HTTP with urllib3, whose own timeouts begin anew with every byte that arrives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Lifeline:
    """Cuts a connection when its time is up, whatever it is doing: timeouts of sockets begin anew with every byte."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        """Whether the time is up."""
        self._twins: list[socket.socket] = []
        self._lock = threading.Lock()

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            # A twin, because wrapping a socket in TLS takes its descriptor away.
            self._twins.append(connected.dup())
            if self.over:
                self._shut()

    def cut(self) -> None:
        with self._lock:
            self.over = True
            self._shut()

    def _shut(self) -> None:
        for twin in self._twins:
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()


_CURRENT: ContextVar[Lifeline] = ContextVar("lifeline")


@contextmanager
def lifeline(seconds: float) -> Iterator[Lifeline]:
    """Connections that this thread's pools open inside end after `seconds`, all of them."""
    line = Lifeline(seconds)
    timer = threading.Timer(seconds, line.cut)
    timer.daemon = True
    token = _CURRENT.set(line)
    timer.start()
    try:
        yield line
    finally:
        timer.cancel()
        _CURRENT.reset(token)
        line.close()


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        _CURRENT.get().hold(connected)
        return connected


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        _CURRENT.get().hold(connected)
        return connected


class Pool(HTTPConnectionPool):
    """urllib3's pool, for use inside `lifeline`."""

    ConnectionCls: Any = _Connection


class TlsPool(HTTPSConnectionPool):
    """The same, for https."""

    ConnectionCls: Any = _TlsConnection
