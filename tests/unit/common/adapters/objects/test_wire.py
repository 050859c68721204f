"""HTTP straight into and from buffers: what servers and networks do to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from common.adapters.objects.obstore_answers import Answer
from common.adapters.objects.wire import Refusal, Wire
from common.errors import StoreUnavailable

FIRST_HALF = b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\n01234"


class Server:
    """Gives each request the next of its answers; an empty one is a closed connection. Keeps what it was asked."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.asked: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                with client, suppress(OSError):
                    while self._answers and (asked := _request(client)):
                        self.asked.append(asked)
                        answer = self._answers.pop(0)
                        if not answer:
                            break
                        client.sendall(answer)
                        if b"Connection: close" in answer:
                            break

    def close(self) -> None:
        self._listener.close()


def _request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (block := client.recv(65536)):
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while sizes and len(body) < sizes[0] and (block := client.recv(65536)):
        body += block
    return head + b"\r\n\r\n" + body if head else b""


@contextmanager
def serving(*answers: bytes) -> Iterator[Server]:
    server = Server(*answers)
    try:
        yield server
    finally:
        server.close()


def read(wire: Wire, server: Server, *, length: int = 5) -> tuple[bytes, int]:
    into = memoryview(bytearray(length))
    _, size = wire.read_into(f"http://{server.address}/b/k?sig=1", into, first=0, headers={"If-Match": '"e"'})
    return bytes(into), size


def test_a_range_is_asked_for_and_the_connection_used_again() -> None:
    with serving(FIRST_HALF, FIRST_HALF) as server:
        wire = Wire(5, 5)
        assert [read(wire, server), read(wire, server)] == [(b"01234", 10)] * 2

    assert server.connections == 1
    assert server.asked[0].startswith(b"GET /b/k?sig=1 HTTP/1.1\r\n")
    assert b"Range: bytes=0-4\r\n" in server.asked[0]
    assert b'If-Match: "e"\r\n' in server.asked[0]


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with serving(FIRST_HALF, b"", FIRST_HALF) as server:
        wire = Wire(5, 5)

        assert [read(wire, server), read(wire, server)] == [(b"01234", 10)] * 2

    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", Answer(None)),
        (b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\nConnection: close\r\n\r\n012", "cut"),
        (b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\n012", Answer(416, "InvalidRange")),
        (
            b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 27\r\n\r\n<E><Code>SlowDown</Code></E>"[:-1],
            Answer(503, "SlowDown", 7.0),
        ),
        (
            b"HTTP/1.1 403 X\r\nx-ms-error-code: AuthorizationFailure\r\nContent-Length: 0\r\n\r\n",
            Answer(403, "AuthorizationFailure"),
        ),
        (b"HTTP/1.1 301 X\r\nLocation: http://else/\r\nContent-Length: 0\r\n\r\n", Answer(301)),
        (b"nonsense\r\n\r\n", Answer(None)),
    ],
)
def test_every_other_answer_is_a_refusal_that_says_why(answer: bytes, expected: Answer | str) -> None:
    with serving(answer) as server, pytest.raises(Refusal) as refused:
        read(Wire(5, 5), server)

    assert refused.value.answer == (Answer(None, cut=True) if expected == "cut" else expected)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 206 X\r\nContent-Range: bytes 1-5/10\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 206 X\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_another_range_than_was_asked_for_is_not_believed(head: bytes) -> None:
    with serving(head + b"01234") as server, pytest.raises(StoreUnavailable, match="bytes 0 to 4 were asked for"):
        read(Wire(5, 5), server)


def test_a_body_in_chunks_is_read_whole() -> None:
    chunked = b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/10\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(chunked + b"2\r\n01\r\n3\r\n234\r\n0\r\n\r\n", FIRST_HALF) as server:
        wire = Wire(5, 5)
        assert [read(wire, server), read(wire, server)] == [(b"01234", 10)] * 2

    assert server.connections == 1


def test_a_server_that_stands_still_is_not_waited_for_longer_than_agreed() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/k"
    with listener, pytest.raises(Refusal) as refused:
        Wire(5, 0.1).read_into(url, memoryview(bytearray(1)), first=0, headers={})

    assert refused.value.answer == Answer(None)


def test_data_is_put_whole_and_the_answers_headers_come_back() -> None:
    with serving(b'HTTP/1.1 201 X\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n') as server:
        told = Wire(5, 5).ask("PUT", f"http://{server.address}/b/k", memoryview(b"..hello.")[2:7], headers={"x-a": "b"})

    assert told.headers["ETag"] == '"e"'
    assert b"Content-Length: 5\r\n" in server.asked[0]
    assert b"x-a: b\r\n" in server.asked[0]


def test_a_refusal_before_all_was_sent_is_heard() -> None:
    refusal = b"HTTP/1.1 403 X\r\nx-ms-error-code: Nope\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        client, _ = listener.accept()
        client.recv(100)
        client.sendall(refusal)
        client.shutdown(socket.SHUT_WR)
        while client.recv(1 << 20):
            pass
        client.close()

    threading.Thread(target=refuse, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/k"
    with listener, pytest.raises(Refusal) as refused:
        Wire(5, 5).ask("PUT", url, bytes(16 << 20), headers={})

    assert refused.value.answer == Answer(403, "Nope")


def test_the_proxy_of_the_environment_is_asked_unless_the_host_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FIRST_HALF) as proxy, serving(FIRST_HALF) as server:
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{proxy.address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert read(Wire(5, 5), server) == (b"01234", 10)
        into = memoryview(bytearray(5))
        Wire(5, 5).read_into("http://store.example/b/k?sig=1", into, first=0, headers={})

    assert len(server.asked) == 1
    assert proxy.asked[0].startswith(b"GET http://store.example/b/k?sig=1 HTTP/1.1\r\nHost: store.example\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.asked[0]
