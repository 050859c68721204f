"""What comes of a server that is slow, silent or gone in the middle: with TLS and without."""

from __future__ import annotations

import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from common.adapters.objects.wire import Refusal, Wire

PIECES = 6
HEAD = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % PIECES
READ_TIMEOUT = 0.3
Talk = Callable[[socket.socket, threading.Event], None]


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch):
    """Begins a server that does one thing with one client until it is told to end: a wire to it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    @contextmanager
    def serving(talk: Talk) -> Iterator[Wire]:
        listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

        def serve() -> None:
            client, _ = listener.accept()
            with suppress(OSError), client:
                if request.param == "http":
                    talk(client, over)
                    return
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                with context.wrap_socket(client, server_side=True) as secured:
                    talk(secured, over)

        threading.Thread(target=serve, daemon=True).start()
        try:
            address = f"{request.param}://127.0.0.1:{listener.getsockname()[1]}"
            yield Wire.to(address, connect_timeout=5, read_timeout=READ_TIMEOUT)
            assert not select.select([listener], [], [], 0)[0], "a second connection was begun"
        finally:
            over.set()
            listener.close()

    return serving


def test_a_body_that_comes_slowly_comes_whole(server) -> None:
    def trickle(client: socket.socket, _: threading.Event) -> None:
        client.recv(65536)
        client.sendall(HEAD)
        for _ in range(PIECES):
            time.sleep(READ_TIMEOUT / 3)
            client.sendall(b".")

    with server(trickle) as wire:
        into = memoryview(bytearray(10))
        _, size = wire.fetch("/b/k", into, headers={})

    assert bytes(into[:size]) == b"." * PIECES


def test_a_large_body_comes_whole_and_the_next_answer_after_it(server) -> None:
    body = random.Random(7).randbytes(300_001)

    def answer_twice(client: socket.socket, _: threading.Event) -> None:
        for _ in range(2):
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with server(answer_twice) as wire:
        into = memoryview(bytearray(400_000))
        for _ in range(2):
            into[:] = bytes(len(into))
            _, size = wire.fetch("/b/k", into, headers={})
            assert bytes(into[:size]) == body


def test_a_large_body_that_ends_too_early_is_cut(server) -> None:
    def leave(client: socket.socket, _: threading.Event) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 300001\r\n\r\n" + bytes(300_000))

    with server(leave) as wire, pytest.raises(Refusal) as refused:
        wire.fetch("/b/k", memoryview(bytearray(400_000)), headers={})

    assert refused.value.answer.cut


def test_a_body_that_stands_still_is_given_up(server) -> None:
    def stop(client: socket.socket, over: threading.Event) -> None:
        client.recv(65536)
        client.sendall(HEAD + b"..")
        over.wait(20)

    began = time.monotonic()
    with server(stop) as wire, pytest.raises(Refusal) as refused:
        wire.fetch("/b/k", memoryview(bytearray(10)), headers={})

    assert refused.value.answer.status is None
    assert READ_TIMEOUT <= time.monotonic() - began < 10


def test_a_server_that_takes_no_data_is_given_up(server) -> None:
    def ignore(_: socket.socket, over: threading.Event) -> None:
        over.wait(20)

    began = time.monotonic()
    with server(ignore) as wire, pytest.raises(Refusal) as refused:
        wire.ask("PUT", "/b/k", bytes(64 << 20), headers={}, twice=False)

    assert refused.value.answer.status is None
    assert READ_TIMEOUT <= time.monotonic() - began < 10


def test_what_was_waited_for_in_vain_is_not_asked_for_again_at_once(server) -> None:
    """A connection that had been used may have been closed meanwhile, and is replaced; one that is silent is not."""

    def answer_once(client: socket.socket, over: threading.Event) -> None:
        client.recv(65536)
        client.sendall(HEAD + b"." * PIECES)
        over.wait(20)

    with server(answer_once) as wire:
        into = memoryview(bytearray(10))
        assert wire.fetch("/b/k", into, headers={})[1] == PIECES
        with pytest.raises(Refusal):
            wire.fetch("/b/k", into, headers={})
