"""An HTTP/1.1 proxy for tests: hands requests on, and cuts the connection inside a response's body."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def cutting_proxy(endpoint: str, *, after: int) -> Iterator[str]:
    """An endpoint that lets `after` bytes of each response's body through, then resets or closes."""
    target = urlsplit(endpoint)
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_relay, args=(client, target.hostname, target.port, after), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield target._replace(netloc=f"127.0.0.1:{listener.getsockname()[1]}").geturl()
    finally:
        stopped.set()
        listener.close()


def _relay(client: socket.socket, host: str | None, port: int | None, after: int) -> None:
    with client, suppress(OSError), socket.create_connection((host or "", port or 0)) as server:
        request = _until_blank_line(client)
        # The server's own Host stays unsaid: the signature covers the proxy's.
        server.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        response = _until_blank_line(server)
        head, _, body = response.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n" + body[:after])
        left = after - len(body)
        while left > 0 and (block := server.recv(min(65536, left))):
            client.sendall(block)
            left -= len(block)


def _until_blank_line(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (block := sock.recv(65536)):
        data += block
    return data
