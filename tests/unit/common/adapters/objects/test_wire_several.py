"""Several requests of one thread under way: what servers and networks do to them, with TLS and without."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from common.adapters.objects.wire import Answered, Incoming, Refusal, Wire
from common.adapters.objects.wire.several import Several

OK = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s"
READ_TIMEOUT = 1.5

Answer = Callable[[bytes, socket.socket], bytes | None]
"""What a request for a path is answered with; None ends the connection."""


class Server:
    """A thread for each connection; knows what was asked, over how many connections, and how many at the same time."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.connections = self.now = self.most = 0
        self.lock = threading.Lock()

    def talk(self, client: socket.socket) -> None:
        with self.lock:
            self.connections += 1
        with client, suppress(OSError):
            while data := client.recv(65536):
                path = data.split(b" ", 2)[1]
                with self.lock:
                    self.asked.append(path.decode())
                    self.now += 1
                    self.most = max(self.most, self.now)
                try:
                    answer = self._answer(path, client)
                finally:
                    with self.lock:
                        self.now -= 1
                if answer is None:
                    return
                client.sendall(answer)


@pytest.fixture(params=["http", "https"])
def serving(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    @contextmanager
    def begun(answer: Answer) -> Iterator[tuple[Server, Wire]]:
        listener, server = socket.create_server(("127.0.0.1", 0)), Server(answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

        def talk(client: socket.socket) -> None:
            with suppress(OSError):
                if request.param == "https":
                    client = context.wrap_socket(client, server_side=True)
                server.talk(client)

        def listen() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        try:
            address = f"{request.param}://127.0.0.1:{listener.getsockname()[1]}"
            yield server, Wire.to(address, connect_timeout=5, read_timeout=READ_TIMEOUT)
        finally:
            listener.close()

    return begun


def body_of(path: bytes, _: socket.socket) -> bytes:
    return OK % (len(path), path)


def text(body: Incoming, place: int) -> tuple[int, bytes]:
    return place, body.text(1000)


def passes(refusal: Refusal) -> bool:
    return refusal.answer.status in (None, 503)


def asked(
    wire: Wire, count: int, *, at_once: int = 4, going_on: Callable[[], bool] = lambda: True
) -> list[Answered[tuple[int, bytes]]]:
    several = Several(wire, text, at_once=at_once, going_on=going_on, passes=passes)
    return several.all([wire.request("GET", f"/{n}", {}) for n in range(count)], range(count))


def whole(answers: list[Answered[tuple[int, bytes]]]) -> list[int]:
    """The places of those that were answered with their own path."""
    for place, answer in enumerate(answers):
        if isinstance(answer.what, tuple):
            assert answer.what == (place, b"/%d" % place)
            assert 0 < answer.began <= answer.ended
    return [place for place, answer in enumerate(answers) if isinstance(answer.what, tuple)]


def unsent(answers: list[Answered[tuple[int, bytes]]]) -> list[int]:
    return [place for place, answer in enumerate(answers) if answer.what is None]


def test_each_has_its_own_answer_over_few_connections(serving) -> None:
    with serving(body_of) as (server, wire):
        assert whole(asked(wire, 50)) == list(range(50))
        assert whole(asked(wire, 50)) == list(range(50))

    assert server.connections <= 4


def test_as_many_as_may_be_are_under_way(serving) -> None:
    together = threading.Barrier(4)

    def answer(path: bytes, client: socket.socket) -> bytes:
        together.wait(5)
        return body_of(path, client)

    with serving(answer) as (server, wire):
        assert whole(asked(wire, 12)) == list(range(12))

    assert server.most == 4


def test_a_slow_answer_holds_nobody_up(serving) -> None:
    others = threading.Semaphore(0)

    def answer(path: bytes, client: socket.socket) -> bytes:
        if path == b"/0":
            for _ in range(19):
                assert others.acquire(timeout=READ_TIMEOUT / 2)
        else:
            others.release()
        return body_of(path, client)

    with serving(answer) as (_, wire):
        assert whole(asked(wire, 20, at_once=2)) == list(range(20))


def test_what_will_not_pass_is_told_and_the_others_go_on(serving) -> None:
    def answer(path: bytes, client: socket.socket) -> bytes:
        return b"HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\nno" if path == b"/3" else body_of(path, client)

    with serving(answer) as (server, wire):
        answers = asked(wire, 10)

    assert whole(answers) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert isinstance(answers[3].what, Refusal)
    assert answers[3].what.answer.status == 404
    assert server.connections <= 4


@pytest.mark.parametrize(
    "trouble",
    [
        b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n1",
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["refused", "cut", "nonsense", "closed"],
)
def test_after_what_may_pass_nobody_else_is_asked_for(serving, trouble: bytes) -> None:
    begun = threading.Event()

    def answer(path: bytes, client: socket.socket) -> bytes | None:
        place = int(path[1:])
        if place > 5:
            assert begun.wait(5)
            time.sleep(READ_TIMEOUT / 20)
        if place != 5:
            return body_of(path, client)
        client.sendall(trouble)
        begun.set()
        return None

    with serving(answer) as (server, wire):
        answers = asked(wire, 30, at_once=2)

    sent = set(range(30)) - set(unsent(answers))
    assert isinstance(answers[5].what, Refusal)
    assert set(whole(answers)) == sent - {5}
    # Who was under way goes on; how soon the trouble is seen is the machine's to say.
    assert set(range(6)) <= sent <= set(range(20))
    assert len(server.asked) == len(sent)


def test_who_says_nothing_is_waited_for_as_long_as_may_be(serving) -> None:
    over = threading.Event()

    def answer(path: bytes, client: socket.socket) -> bytes:
        if path == b"/1":
            over.wait(10)
        return body_of(path, client)

    began = time.monotonic()
    with serving(answer) as (_, wire):
        answers = asked(wire, 3, at_once=3)
        over.set()

    assert isinstance(answers[1].what, Refusal)
    assert whole(answers) == [0, 2]
    assert READ_TIMEOUT <= time.monotonic() - began < 5


def test_what_has_come_while_a_slow_body_was_read_is_not_given_up(serving) -> None:
    first_piece = threading.Event()

    def answer(path: bytes, client: socket.socket) -> bytes:
        if path == b"/0":
            assert first_piece.wait(READ_TIMEOUT / 2)
            time.sleep(READ_TIMEOUT / 10)
            return body_of(path, client)
        client.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n")
        first_piece.set()
        for piece in (b"/", b"1"):
            time.sleep(READ_TIMEOUT * 0.6)
            client.sendall(piece)
        return b""

    with serving(answer) as (_, wire):
        assert whole(asked(wire, 2, at_once=2)) == [0, 1]


def test_nothing_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    answers = asked(Wire.to(address), 3)

    assert isinstance(answers[0].what, Refusal)
    assert unsent(answers) == [1, 2]


def test_a_connection_that_ended_while_it_was_free_is_replaced(serving) -> None:
    def answer(path: bytes, client: socket.socket) -> bytes:
        return body_of(path, client).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)

    with serving(answer) as (server, wire):
        assert whole(asked(wire, 10)) == list(range(10))

    assert server.connections == 10


def test_a_free_connection_that_says_something_is_not_used_again(serving) -> None:
    evil, second = iter([b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\nevil"]), threading.Event()

    def answer(path: bytes, client: socket.socket) -> bytes:
        if path == b"/0" and (more := next(evil, None)):
            client.sendall(body_of(path, client))
            time.sleep(READ_TIMEOUT / 10)
            second.set()
            return more
        assert second.wait(READ_TIMEOUT / 2)
        time.sleep(READ_TIMEOUT / 10)
        return body_of(path, client)

    with serving(answer) as (_, wire):
        assert whole(asked(wire, 2, at_once=2)) == [0, 1]
        assert whole(asked(wire, 2, at_once=2)) == [0, 1]


def test_whoever_asks_for_one_thing_uses_the_connections_afterwards(serving) -> None:
    with serving(body_of) as (server, wire):
        asked(wire, 8, at_once=1)
        assert wire.ask("GET", "/8", headers={}).body == b"/8"

    assert server.connections == 1


def test_nothing_is_left_under_way_when_somebody_raises(serving) -> None:
    calls = iter(range(10))

    def going_on() -> bool:
        if next(calls) == 3:
            raise KeyError("enough")
        return True

    ended = threading.Semaphore(0)

    def answer(_: bytes, client: socket.socket) -> None:
        assert client.recv(1) == b""
        ended.release()

    with serving(answer) as (_, wire):
        with pytest.raises(KeyError) as held:
            asked(wire, 10, going_on=going_on)
        assert held.traceback, "what was under way is still referred to"
        assert all(ended.acquire(timeout=READ_TIMEOUT) for _ in range(3))


def test_who_has_no_request_is_passed_by(serving) -> None:
    with serving(body_of) as (_, wire):
        several = Several(wire, text, at_once=2, going_on=lambda: True, passes=passes)
        answers = several.all([None, wire.request("GET", "/1", {}), None], range(3))

    assert whole(answers) == [1]
    assert unsent(answers) == [0, 2]
