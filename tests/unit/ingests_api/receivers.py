"""Servers that callbacks are sent to: one that notes what it gets, and some that mean harm."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, threading.Event], None]
"""Says something on the connection; the event is set when the test is over."""


@dataclass
class Receiver:
    """What arrived at a server, and how it answers: the answers in turn, the last one again and again."""

    answers: list[Answer]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers, with lower-case names, and body."""
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set with the first request."""
    each: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released with each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.requests.append(_request(connection))
            self.arrived.set()
            self.each.release()
            self.answers[min(len(self.requests), len(self.answers)) - 1](connection, self.over)


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    receiver = Receiver(list(answers) or [status(200)])
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver.port = server.getsockname()[1]
        thread = threading.Thread(target=_accept, args=[server, receiver], daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(server: socket.socket, receiver: Receiver) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=receiver.serve, args=[connection], daemon=True).start()


def _request(connection: socket.socket) -> tuple[dict[str, str], bytes]:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return headers, body


def status(code: int, reason: str = "OK", *, body: bytes = b"", headers: str = "") -> Answer:
    def answer(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(f"HTTP/1.1 {code} {reason}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    return answer


def redirect(to: str) -> Answer:
    return status(307, "Temporary Redirect", headers=f"Location: {to}\r\n")


def hang(_connection: socket.socket, over: threading.Event) -> None:
    """Takes the request and says nothing."""
    over.wait(60)


def drip_headers(connection: socket.socket, over: threading.Event) -> None:
    """A byte now and then, for ever: no timeout of a socket ever runs out."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        connection.sendall(b"z")


def drip_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"z")


def endless(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"all work and no play " * 1000)


def endless_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.is_set():
        connection.sendall(b"X-More: and more\r\n" * 100)


def gzip_bomb(connection: socket.socket, _over: threading.Event) -> None:
    packed = gzip.compress(bytes(30_000_000))
    connection.sendall(
        b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    )


def garbage(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(b"\x00\xff\xfe not HTTP at all \r\n\r\n")


def slam(_connection: socket.socket, _over: threading.Event) -> None:
    """Hangs up."""
