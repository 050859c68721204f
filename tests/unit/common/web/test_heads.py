"""What is waited for before a request's head has ended."""

from __future__ import annotations

import socket

import pytest

from common.web.application import new_app
from common.web.auth import everyone
from common.web.heads import LONGEST
from common.web.serving import HttpServer


def answered(head: bytes) -> bytes:
    app = new_app(title="t", version="0", description="", guard=everyone())
    with (
        HttpServer(app, host="127.0.0.1", port=0) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as client,
    ):
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + head)
        return client.recv(4096)


@pytest.mark.parametrize("piece", [b"x", b"x: y\r\n"], ids=["one header", "many headers"])
def test_a_head_that_does_not_end_is_refused(piece: bytes) -> None:
    head = b"x: " + piece * (LONGEST // len(piece))

    assert answered(head).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_shorter_one_is_refused_with_words() -> None:
    head = b"x: " + b"x" * (LONGEST // 2) + b"\r\n\r\n"

    assert answered(head).startswith(b"HTTP/1.1 431 ")
