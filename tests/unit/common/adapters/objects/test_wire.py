"""HTTP from and into memory: what servers and networks do to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from common.adapters.objects.answers import Answer
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


def wire_to(server: Server, *, read_timeout: float = 5) -> Wire:
    return Wire.to(f"http://{server.address}/b", connect_timeout=5, read_timeout=read_timeout)


def read(wire: Wire, *, length: int = 5) -> tuple[bytes, int]:
    into = memoryview(bytearray(length))
    _, size = wire.read_into("/b/k?sig=1", into, first=0, headers={"If-Match": '"e"'})
    return bytes(into), size


def test_a_range_is_asked_for_and_the_connection_used_again() -> None:
    with serving(FIRST_HALF, FIRST_HALF) as server:
        wire = wire_to(server)
        assert [read(wire), read(wire)] == [(b"01234", 10)] * 2

    assert server.connections == 1
    assert server.asked[0].startswith(b"GET /b/k?sig=1 HTTP/1.1\r\n")
    assert b"Range: bytes=0-4\r\n" in server.asked[0]
    assert b'If-Match: "e"\r\n' in server.asked[0]


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with serving(FIRST_HALF, b"", FIRST_HALF) as server:
        wire = wire_to(server)

        assert [read(wire), read(wire)] == [(b"01234", 10)] * 2

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
        read(wire_to(server))

    assert refused.value.answer == (Answer(None, cut=True) if expected == "cut" else expected)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 206 X\r\nContent-Range: bytes 1-5/10\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 206 X\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Range: bytes 1-5/10\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_another_range_than_was_asked_for_is_not_believed(head: bytes) -> None:
    with serving(head + b"01234") as server, pytest.raises(StoreUnavailable, match="bytes 0 to 4 were asked for"):
        read(wire_to(server))


def test_a_range_is_believed_by_what_it_says_of_itself_also_with_200() -> None:
    with serving(FIRST_HALF.replace(b"206", b"200")) as server:
        assert read(wire_to(server)) == (b"01234", 10)


def test_a_whole_object_that_calls_itself_a_range_is_not_believed() -> None:
    with (
        serving(b"HTTP/1.1 200 X\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 10\r\n\r\n0123456789") as server,
        pytest.raises(Refusal) as refused,
    ):
        read(wire_to(server))

    assert refused.value.answer == Answer(None, cut=True)


def test_a_body_in_chunks_is_read_whole() -> None:
    chunked = b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/10\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(chunked + b"2\r\n01\r\n3\r\n234\r\n0\r\n\r\n", FIRST_HALF) as server:
        wire = wire_to(server)
        assert [read(wire), read(wire)] == [(b"01234", 10)] * 2

    assert server.connections == 1


def test_a_server_that_stands_still_is_not_waited_for_longer_than_agreed() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire.to(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=5, read_timeout=0.1)
    with listener, pytest.raises(Refusal) as refused:
        wire.read_into("/k", memoryview(bytearray(1)), first=0, headers={})

    assert refused.value.answer == Answer(None)


def test_data_is_put_whole_and_the_answers_headers_come_back() -> None:
    with serving(b'HTTP/1.1 201 X\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n') as server:
        told = wire_to(server).ask("PUT", "/b/k", memoryview(b"..hello.")[2:7], headers={"x-a": "b"})

    assert told.headers["etag"] == '"e"'
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
    wire = Wire.to(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with listener, pytest.raises(Refusal) as refused:
        wire.ask("PUT", "/k", bytes(16 << 20), headers={})

    assert refused.value.answer == Answer(403, "Nope")


def test_a_whole_object_is_fetched_to_the_start_of_the_buffer() -> None:
    into = memoryview(bytearray(8))
    with serving(b"HTTP/1.1 200 X\r\nETag: e\r\nContent-Length: 5\r\n\r\nhello", FIRST_HALF) as server:
        wire = wire_to(server)
        told, size = wire.fetch("/b/k", into, headers={})
        read(wire)

    assert (told["etag"], size, bytes(into[:5]), server.connections) == ("e", 5, b"hello", 1)


@pytest.mark.parametrize(
    "body", [b"Content-Length: 6\r\n\r\nhello!", b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n"]
)
def test_more_than_the_buffer_holds_is_left_with_its_connection(body: bytes) -> None:
    with serving(b"HTTP/1.1 200 X\r\n" + body, FIRST_HALF) as server:
        wire = wire_to(server)
        assert wire.fetch("/b/k", memoryview(bytearray(5)), headers={})[1] is None
        assert read(wire) == (b"01234", 10)

    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 X\r\n\r\nwho knows how long",
        b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\n01234",
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234!\r\n0\r\n\r\n",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n01234\r\n0\r\n\r\n",
        b"HTTP/1.1 101 X\r\n\r\n",
        b"HTTP/1.1 100 X\r\n\r\n" * 9,
        b"HTTP/1.1 200 X\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_can_be_read_in_two_ways_is_none(answer: bytes) -> None:
    with serving(answer + b"") as server, pytest.raises(Refusal) as refused:
        wire_to(server, read_timeout=1).fetch("/b/k", memoryview(bytearray(50)), headers={})

    assert refused.value.answer == Answer(None)


def test_answers_before_the_answer_are_passed_over() -> None:
    with serving(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + FIRST_HALF) as server:
        assert read(wire_to(server)) == (b"01234", 10)


def test_a_request_that_must_not_come_twice_is_not_sent_again() -> None:
    done = b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n"
    with serving(done, b"", done) as server:
        wire = wire_to(server)
        wire.ask("PUT", "/b/k", b"1", headers={}, twice=False)
        with pytest.raises(Refusal) as refused:
            wire.ask("PUT", "/b/k", b"2", headers={}, twice=False)

    assert refused.value.answer == Answer(None)
    assert len(server.asked) == 2


def test_bytes_that_nobody_asked_for_cost_their_connection() -> None:
    with serving(FIRST_HALF + b"HTTP/1.1 206 X\r\n", FIRST_HALF) as server:
        wire = wire_to(server)
        assert [read(wire), read(wire)] == [(b"01234", 10)] * 2

    assert server.connections == 2


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\r", "a\0", "é"])
def test_no_header_brings_another_one(value: str) -> None:
    with serving(FIRST_HALF) as server, pytest.raises(ValueError, match="holds what headers cannot"):
        wire_to(server).ask("GET", "/b/k", headers={"x-amz-meta-a": value})

    assert server.asked == []


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/é", ""])
def test_no_target_brings_a_header(target: str) -> None:
    with serving(FIRST_HALF) as server, pytest.raises(ValueError, match="no target"):
        wire_to(server).ask("GET", target, headers={})
