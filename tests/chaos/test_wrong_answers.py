"""Answers in good order that are not the answer: what a client of the proxy sees of them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from chaos.proxy import Proxy
from chaos.rules import Fault, Rule, Rules
from chaos.wires import Wires

BODY = bytes(range(200))


class Handler(BaseHTTPRequestHandler):
    """Answers GET with the ten bytes from 20 on, or with its path where that is not /object."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = BODY[20:30] if self.path == "/object" else self.path.encode()
        self.send_response(206)
        self.send_header("Content-Range", f"bytes 20-{20 + len(body) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def wires() -> Iterator[Wires]:
    with Wires() as wires:
        yield wires


def asked(proxy: Proxy, wires: Wires, *paths: str) -> list[tuple[str | None, bytes]]:
    """Content-Range and body of each answer."""
    port, found = wires.listen(proxy), []
    for path in paths:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", path)
        answer = client.getresponse()
        found.append((answer.headers["Content-Range"], answer.read()))
        client.close()
    return found


def proxy_with(port: int, fault: Fault, rate: float = 1.0) -> Proxy:
    return Proxy(upstream_port=port, rules=Rules([Rule(fault, rate)], random=Random(7)))


def test_another_range_is_named_than_comes(port: int, wires: Wires) -> None:
    proxy = proxy_with(port, Fault.WRONG_RANGE)

    assert asked(proxy, wires, "/object") == [("bytes 21-30/200", BODY[20:30])]
    assert proxy.rules.happened == {Fault.WRONG_RANGE: 1}


def test_the_bytes_of_another_range_come_than_are_named(port: int, wires: Wires) -> None:
    proxy = proxy_with(port, Fault.OTHER_RANGE)

    assert asked(proxy, wires, "/object") == [("bytes 20-29/200", BODY[21:30] + BODY[20:21])]
    assert proxy.rules.happened == {Fault.OTHER_RANGE: 1}


def test_the_last_answer_comes_once_more_whatever_was_asked(port: int, wires: Wires) -> None:
    proxy = proxy_with(port, Fault.REPLAY, rate=0.5)
    paths = [f"/{number:02}" for number in range(40)]

    found = [body.decode() for _, body in asked(proxy, wires, *paths)]

    replayed = [number for number, (path, body) in enumerate(zip(paths, found, strict=True)) if path != body]
    assert len(replayed) == proxy.rules.happened[Fault.REPLAY] > 5
    assert all(found[number] == found[number - 1] for number in replayed)


def test_without_an_earlier_answer_nothing_is_replayed(port: int, wires: Wires) -> None:
    proxy = proxy_with(port, Fault.REPLAY)

    assert asked(proxy, wires, "/object") == [("bytes 20-29/200", BODY[20:30])]
    assert proxy.rules.happened == {}
