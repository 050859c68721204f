"""One connection, for one exchange at a time."""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from common.adapters.objects.wire.heads import Nonsense

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_SCRATCH = 32 * 1024
"""Bytes: the longest head or line that is listened to, and what is received of a body together with its head."""
_END = b"\r\n\r\n"
_JOINED = 16 * 1024
"""Bytes: data up to this goes into one TLS record with its head."""
_RESTED = 0.5
"""Seconds after which a server may have closed the connection."""


class Closed(Exception):
    """The server ended the connection before it said anything."""


class Cut(Exception):
    """The connection ended inside an answer."""


class Connection:
    """Sends a request, and receives an answer piece by piece. Raises OSError; TimeoutError where a wait lasts as long
    as the socket allows, and where a head is not there after `timeout` seconds."""

    __slots__ = ("_end", "_scratch", "_socket", "_start", "_timeout", "_tls", "_used_at", "_view", "number")

    def __init__(self, sock: socket.socket, *, tls: bool, timeout: float) -> None:
        self._socket, self._tls, self._timeout = sock, tls, timeout
        self._scratch = bytearray(_SCRATCH)
        self._view = memoryview(self._scratch)
        self._start = self._end = 0
        """Where in the scratch the bytes lie that have been received and not taken."""
        self._used_at = time.monotonic()
        self.number = sock.fileno()
        """The system's, as long as it is open."""

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def rests(self) -> None:
        """The answer has been taken; when the next request comes is not known."""
        self._used_at = time.monotonic()

    def stands(self) -> bool:
        """Whether it may be used again. Bytes that nobody asked for, and an end, both say no."""
        if self._start != self._end:
            return False
        if time.monotonic() - self._used_at < _RESTED:
            return True
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return not waiting.poll(0)

    def send(self, head: bytes, data: bytes | memoryview | None) -> None:
        self._start = self._end = 0
        try:
            self._send_all(head, data)
        except BlockingIOError:
            raise TimeoutError from None

    def _send_all(self, head: bytes, data: bytes | memoryview | None) -> None:
        if not data:
            sent = self._socket.send(head)
            if sent < len(head):
                self._send(memoryview(head)[sent:])
        elif self._tls:  # which sends one piece at a time
            if len(data) <= _JOINED:
                head, data = head + data, b""
            self._send(memoryview(head))
            self._send(memoryview(data))
        else:
            sent = self._socket.sendmsg((head, data))
            if sent < len(head) + len(data):
                self._send(memoryview(head)[sent:])
                self._send(memoryview(data)[max(0, sent - len(head)) :])

    def _send(self, data: memoryview) -> None:
        """Not by `sendall`, whose timeout is that of all bytes together."""
        while data:
            data = data[self._socket.send(data) :]

    def head(self) -> bytes:
        """What comes before the next empty line. Raises Closed, Cut, Nonsense, TimeoutError."""
        if self._start == self._end:
            # Nearly always it comes at once, with the beginning of the body.
            self._start, self._end = 0, self._received(self._view)
            if not self._end:
                raise Closed
        return self._until(_END)

    def has_come(self) -> bool:
        """Whether there is something of an answer, where the system says that there is something to receive: a server
        that speaks TLS also sends what is no part of any answer. Also where reading fails, which `head` will tell."""
        if not self._tls or self._start < self._end:
            return True
        from ssl import SSLWantReadError

        self._socket.settimeout(0)
        try:
            self._start, self._end = 0, self._socket.recv_into(self._view)
        except SSLWantReadError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(self._timeout)
        return True

    def line(self) -> bytes:
        """The next line. Raises as `head` does."""
        return self._until(b"\r\n")

    def receive(self, into: memoryview) -> int:
        """Fill a part of `into`, which is not empty: how many bytes. Raises Cut."""
        if self._start < self._end:
            count = min(len(into), self._end - self._start)
            into[:count] = self._view[self._start : self._start + count]
            self._start += count
            return count
        count = self._records(into) if self._tls else self._received(into)
        if not count:
            raise Cut
        return count

    def _records(self, into: memoryview) -> int:
        """As `_received`, but as many as `into` holds: TLS gives them by records of at most 16 KiB."""
        # What `recv_into` calls when it has looked at everything, which takes it as long as the rest.
        read = cast("Callable[[int, memoryview], int]", cast("ssl.SSLSocket", self._socket).read)
        filled = 0
        while filled < len(into) and (count := read(len(into) - filled, into[filled:])):
            filled += count
        return filled

    def _received(self, into: memoryview) -> int:
        """How many bytes; 0 at the end."""
        try:
            return self._socket.recv_into(into)
        except BlockingIOError:
            # What a system says whose own limit of a wait has been reached.
            raise TimeoutError from None

    def _until(self, mark: bytes) -> bytes:
        found = self._scratch.find(mark, self._start, self._end)
        if found < 0:
            found = self._received_until(mark)
        before = bytes(self._view[self._start : found])
        self._start = found + len(mark)
        return before

    def _received_until(self, mark: bytes) -> int:
        deadline = time.monotonic() + self._timeout
        found = -1
        while found < 0:
            looked = max(0, self._end - self._start - len(mark) + 1)
            self._receive_more(deadline)
            found = self._scratch.find(mark, self._start + looked, self._end)
        return found

    def _receive_more(self, deadline: float) -> None:
        held = self._end - self._start
        if self._start:
            self._scratch[:held] = self._scratch[self._start : self._end]
            self._start, self._end = 0, held
        if held == _SCRATCH:
            raise Nonsense(f"a head or line of more than {_SCRATCH:,} bytes")
        if held and time.monotonic() > deadline:
            raise TimeoutError
        count = self._received(self._view[held:] if held else self._view)
        if not count:
            raise Cut if held else Closed
        self._end += count
