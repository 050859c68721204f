"""The ways to a store: proxies and TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from common.adapters.objects.wire import Refusal, Wire
from common.errors import ConfigurationError
from unit.common.adapters.objects.test_wire import FIRST_HALF, read, serving, wire_to

CREATED = b"HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def secure_server(certificate: Path, *, behind_proxy: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Answers each request with FIRST_HALF or, for a PUT, CREATED; its address and what it was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with suppress(OSError), client:
                    if behind_proxy:
                        asked.append(client.recv(65536))
                        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    with context.wrap_socket(client, server_side=True) as talk:
                        _answer_all(talk, asked)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.close()


def _answer_all(talk: ssl.SSLSocket, asked: list[bytes]) -> None:
    while block := talk.recv(65536):
        data = block
        while b"\r\n\r\n" not in data:
            data += talk.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        wanted = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        while len(body) < wanted:
            body += talk.recv(65536)
        asked.append(head + b"\r\n\r\n" + body)
        talk.sendall(CREATED if head.startswith(b"PUT") else FIRST_HALF)


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(certificate: Path) -> None:
    with secure_server(certificate) as (address, asked), pytest.raises(Refusal, match="certificate verify failed"):
        read(Wire.to(f"https://{address}"))

    assert asked == []


@pytest.mark.parametrize("size", [0, 10_000, 3_000_000])
def test_bytes_go_both_ways_through_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    data = bytes(size)
    with secure_server(certificate) as (address, asked):
        wire = Wire.to(f"https://{address}")
        wire.ask("PUT", "/b/k", data, headers={})
        assert [read(wire), read(wire)] == [(b"01234", 10)] * 2

    assert asked[0].partition(b"\r\n\r\n")[2] == data
    assert len(asked) == 3


def test_a_server_with_another_name_is_not_spoken_to(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with secure_server(certificate) as (address, _), pytest.raises(Refusal, match="certificate verify failed"):
        read(Wire.to(f"https://localhost:{address.partition(':')[2]}"))


def test_a_proxy_opens_a_tunnel_to_a_store_with_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with secure_server(certificate, behind_proxy=True) as (address, asked):
        monkeypatch.setenv("https_proxy", f"http://user:p%40ss@{address}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert read(Wire.to("https://127.0.0.1:4433")) == (b"01234", 10)

    assert asked[0].startswith(b"CONNECT 127.0.0.1:4433 HTTP/1.1\r\nHost: 127.0.0.1:4433\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in asked[0]
    assert b"Proxy-Authorization" not in asked[1]


def test_a_proxy_that_opens_no_tunnel_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(Refusal, match=r"no answer \(the proxy 127.0.0.1 answered 407\)"):
            read(Wire.to("https://store.example"))


def test_the_proxy_of_the_environment_is_asked_unless_the_host_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FIRST_HALF) as proxy, serving(FIRST_HALF) as server:
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{proxy.address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert read(wire_to(server)) == (b"01234", 10)
        assert read(Wire.to("http://store.example/b")) == (b"01234", 10)

    assert len(server.asked) == 1
    assert proxy.asked[0].startswith(b"GET http://store.example/b/k?sig=1 HTTP/1.1\r\nHost: store.example\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in proxy.asked[0]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "https://proxy.example"])
def test_a_proxy_that_is_not_understood_is_refused_and_not_passed_by(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)

    with pytest.raises(ConfigurationError, match=r"change HTTPS_PROXY, or name store\.example in NO_PROXY"):
        Wire.to("https://store.example")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="begins with https://"):
        Wire.to("store.example/b")
