"""A pipe passes bytes both ways, and nothing while it is a black hole."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from chaos.pipe import Pipe
from chaos.wires import Wires


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with client:
                while block := client.recv(1024):
                    client.sendall(block)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_bytes_wait_while_the_pipe_is_a_black_hole(echo: int) -> None:
    with Wires() as wires:
        pipe = Pipe(upstream_port=echo)
        with socket.create_connection(("127.0.0.1", wires.listen(pipe)), timeout=5) as client:
            client.sendall(b"before")
            assert client.recv(10) == b"before"
            wires.shut(pipe)
            client.sendall(b"during")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(10)
            wires.clear(pipe)
            client.settimeout(5)
            assert client.recv(10) == b"during"


def test_a_connection_to_nobody_is_ended(echo: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = listener.getsockname()[1]
    with Wires() as wires:
        port = wires.listen(Pipe(upstream_port=nobody))

        # The reset may come before the connection is made, as far as the client sees it.
        with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            assert client.recv(10), "an end in good order would be an empty answer"
