"""Each fault really happens: what a client of the proxy sees of it, and what the store behind it saw."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from chaos.proxy import Proxy
from chaos.rules import Fault, Rule, Rules
from chaos.wires import Wires

BODY = bytes(range(256)) * 1024


@dataclass
class Origin:
    """A store of one object that notes what it was sent."""

    port: int
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, Host header and body of every request that arrived whole."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._note(b"")
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(BODY), 50_000):
                block = BODY[start : start + 50_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == int(self.headers["Content-Length"]):
            self._note(body)
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _note(self, body: bytes) -> None:
        self.server.origin.seen.append((self.command, self.headers["Host"], body))  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Connections break here on purpose."""


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Server(("127.0.0.1", 0), Handler)
    server.origin = Origin(server.server_address[1])  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.origin  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def wires() -> Iterator[Wires]:
    with Wires() as wires:
        yield wires


def proxied(origin: Origin, wires: Wires, *faults: Fault) -> tuple[Proxy, http.client.HTTPConnection]:
    rules = Rules([Rule(fault, 1.0) for fault in faults], random=Random(7))
    proxy = Proxy(upstream_port=origin.port, rules=rules)
    return proxy, http.client.HTTPConnection("127.0.0.1", wires.listen(proxy), timeout=10)


def get(client: http.client.HTTPConnection, path: str = "/object") -> tuple[int, bytes]:
    client.request("GET", path, headers={"Host": "store.example"})
    answer = client.getresponse()
    return answer.status, answer.read()


def put(client: http.client.HTTPConnection, body: bytes = BODY) -> int:
    client.request("PUT", "/object", body=body, headers={"Host": "store.example"})
    answer = client.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize("path", ["/object", "/chunked"])
def test_without_faults_requests_and_answers_pass_unchanged_on_one_connection(
    origin: Origin, wires: Wires, path: str
) -> None:
    proxy, client = proxied(origin, wires)

    answers = [get(client, path), put(client), get(client, path)]

    assert answers == [(200, BODY), 201, (200, BODY)]
    assert origin.seen == [("GET", "store.example", b""), ("PUT", "store.example", BODY), ("GET", "store.example", b"")]
    assert proxy.rules.happened == {}


def test_who_expects_a_100_gets_it_and_the_store_gets_the_body(origin: Origin, wires: Wires) -> None:
    _, client = proxied(origin, wires)

    client.putrequest("PUT", "/object", skip_host=True)
    for name, value in {"Host": "store.example", "Content-Length": "3", "Expect": "100-continue"}.items():
        client.putheader(name, value)
    client.endheaders()
    assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abc")

    assert client.getresponse().status == 201
    assert origin.seen == [("PUT", "store.example", b"abc")]


def test_a_dropped_request_never_reaches_the_store(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.DROP)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        put(client)

    assert (origin.seen, proxy.rules.happened) == ([], {Fault.DROP: 1})


def test_an_answer_is_lost_after_the_store_did_its_work(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.LOSE_ANSWER)

    with pytest.raises(http.client.RemoteDisconnected):
        put(client)

    assert origin.seen == [("PUT", "store.example", BODY)]
    assert proxy.rules.happened == {Fault.LOSE_ANSWER: 1}


@pytest.mark.parametrize("path", ["/object", "/chunked"])
def test_a_reset_comes_in_the_middle_of_the_answer(origin: Origin, wires: Wires, path: str) -> None:
    proxy, client = proxied(origin, wires, Fault.RESET)

    with pytest.raises(ConnectionResetError):
        get(client, path)

    assert proxy.rules.happened == {Fault.RESET: 1}


def test_a_reset_upload_never_reaches_the_store_whole(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.RESET_UPLOAD)

    with pytest.raises(ConnectionError):
        put(client, BODY * 8)

    assert (origin.seen, proxy.rules.happened) == ([], {Fault.RESET_UPLOAD: 1})


@pytest.mark.parametrize("path", ["/object", "/chunked"])
def test_a_truncated_answer_ends_early_in_good_order(origin: Origin, wires: Wires, path: str) -> None:
    proxy, client = proxied(origin, wires, Fault.TRUNCATE)

    with pytest.raises(http.client.IncompleteRead) as caught:
        get(client, path)

    assert BODY.startswith(caught.value.partial) or path == "/chunked"
    assert proxy.rules.happened == {Fault.TRUNCATE: 1}


def flipped_bits(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("path", ["/object", "/chunked"])
def test_one_bit_of_an_answer_is_another(origin: Origin, wires: Wires, path: str) -> None:
    proxy, client = proxied(origin, wires, Fault.FLIP)

    status, body = get(client, path)

    assert (status, flipped_bits(body, BODY)) == (200, 1)
    assert proxy.rules.happened == {Fault.FLIP: 1}


def test_one_bit_of_an_upload_is_another(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.FLIP_UPLOAD)

    assert put(client) == 201

    assert flipped_bits(origin.seen[0][2], BODY) == 1
    assert proxy.rules.happened == {Fault.FLIP_UPLOAD: 1}


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (Fault.THROTTLE_503, 503, None),
        (Fault.THROTTLE_503_RETRY_AFTER, 503, "1"),
        (Fault.THROTTLE_429, 429, None),
        (Fault.THROTTLE_429_RETRY_AFTER, 429, "1"),
    ],
)
def test_a_throttled_request_is_answered_and_not_passed_on(
    origin: Origin, wires: Wires, fault: Fault, status: int, retry_after: str | None
) -> None:
    proxy, client = proxied(origin, wires, fault)

    client.request("PUT", "/object", body=BODY)
    answer = client.getresponse()
    answer.read()

    assert (answer.status, answer.headers["Retry-After"], origin.seen) == (status, retry_after, [])
    assert put(client) == status, "the connection can be used again"
    assert proxy.rules.happened == {fault: 2}


@pytest.mark.parametrize(("fault", "at_least"), [(Fault.DELAY, 0.05), (Fault.DRIP, 2.0)])
def test_a_slow_answer_is_whole(origin: Origin, wires: Wires, fault: Fault, at_least: float) -> None:
    proxy, client = proxied(origin, wires, fault)

    began = time.monotonic()
    answer = get(client)

    assert answer == (200, BODY)
    assert time.monotonic() - began >= at_least
    assert proxy.rules.happened == {fault: 1}


def test_a_fault_that_finds_no_body_does_not_count(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.FLIP_UPLOAD)

    assert get(client) == (200, BODY)

    assert proxy.rules.happened == {}


def test_after_calm_nothing_is_spoilt(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires, Fault.DROP)

    proxy.rules.calm()

    assert get(client) == (200, BODY)


def test_nothing_passes_a_black_hole_until_it_ends(origin: Origin, wires: Wires) -> None:
    proxy, client = proxied(origin, wires)
    wires.shut(proxy)
    client.timeout = 0.3

    with pytest.raises(TimeoutError):
        get(client)
    assert origin.seen == []
    client.close()
    wires.clear(proxy)

    assert get(client) == (200, BODY)


def test_the_same_seed_draws_the_same_faults() -> None:
    storm = [Rule(Fault.DELAY, 0.2), Rule(Fault.DROP, 0.3)]
    one, other, third = (Rules(storm, random=Random(seed)) for seed in (1, 1, 2))

    drawn = [[rules.draw("GET") for _ in range(200)] for rules in (one, other, third)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert 20 <= drawn[0].count(Fault.DELAY) <= 60
    assert 40 <= drawn[0].count(Fault.DROP) <= 80
