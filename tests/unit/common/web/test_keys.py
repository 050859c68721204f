"""Where issuers' keys come from, and how often they are asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from common.web.auth.keys import CachedKeys, IssuerUnavailable, fetched_from, usable_keys
from unit.common.web.issuing import EC, RSA


class Issuer:
    """Publishes keys, counts who asks, and can be down."""

    def __init__(self) -> None:
        self.published: list[Mapping[str, Any]] = [EC.as_dict(private=False)]
        self.down = False
        self.asked = 0
        self.now = 0.0
        self.keys = CachedKeys(self.load, clock=lambda: self.now)

    def load(self) -> list[Mapping[str, Any]]:
        self.asked += 1
        if self.down:
            raise IssuerUnavailable("down")
        return self.published


def test_keys_are_fetched_once_and_kept() -> None:
    issuer = Issuer()

    assert [issuer.keys.find("ec") is not None for _ in range(3)] == [True] * 3
    assert issuer.asked == 1


def test_an_unknown_key_is_asked_for_at_most_once_a_minute() -> None:
    issuer = Issuer()
    issuer.keys.find("ec")
    issuer.now = 59.0
    assert [issuer.keys.find(name) for name in "abc"] == [None] * 3
    assert issuer.asked == 1
    issuer.now = 60.0
    assert [issuer.keys.find(name) for name in "abc"] == [None] * 3
    assert issuer.asked == 2


def test_a_new_key_is_found_when_it_is_first_used() -> None:
    issuer = Issuer()
    issuer.keys.find("ec")
    issuer.published.append(RSA.as_dict(private=False))
    issuer.now = 61.0

    assert issuer.keys.find("rsa") is not None


def test_a_withdrawn_key_is_forgotten_within_the_hour() -> None:
    issuer = Issuer()
    issuer.keys.find("ec")
    issuer.published = []
    issuer.now = 3601.0

    assert issuer.keys.find("ec") is None


def test_while_the_issuer_is_down_known_keys_stay_and_unknown_ones_may_be_tried_again() -> None:
    issuer = Issuer()
    issuer.keys.find("ec")
    issuer.down, issuer.now = True, 61.0

    with pytest.raises(IssuerUnavailable):
        issuer.keys.find("rsa")
    assert issuer.keys.find("ec") is not None


def test_an_issuer_that_was_never_reached_is_told_apart_from_an_unknown_key() -> None:
    issuer = Issuer()
    issuer.down = True
    for _ in range(2):
        with pytest.raises(IssuerUnavailable):
            issuer.keys.find("ec")
    assert issuer.asked == 1


def test_only_public_signature_keys_of_a_safe_size_are_used() -> None:
    weak = RSAKey.generate_key(1024, {"kid": "weak"}, auto_kid=False)
    secret = OctKey.generate_key(256, {"kid": "secret"}, auto_kid=False)
    documents = [
        EC.as_dict(private=False),
        RSA.as_dict(private=False) | {"kid": "encrypts", "use": "enc"},
        RSA.as_dict(private=False) | {"kid": "signs only", "key_ops": ["sign"]},
        weak.as_dict(private=False),
        secret.as_dict(private=True),
        {"kty": "EC", "kid": "broken"},
        {"kty": "future", "kid": "future"},
        EC.as_dict(private=False) | {"kid": 7},
        "nonsense",
    ]

    assert list(usable_keys(documents)) == ["ec"]  # type: ignore[arg-type]


@contextmanager
def an_address(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    finally:
        server.shutdown()
        server.server_close()


def test_a_key_document_is_read_over_http() -> None:
    with an_address(200, json.dumps({"keys": [EC.as_dict(private=False)]}).encode()) as url:
        assert CachedKeys(fetched_from(url)).find("ec") is not None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (302, b"{}"),
        (200, b"<html>"),
        (200, b'{"no": "keys"}'),
        (200, b"[]"),
        (200, b'{"keys": 3}'),
        (200, b"[" * 5000),
        (200, b" " * (1 << 20) + b'{"keys": []}'),
    ],
)
def test_what_is_no_key_document_is_told_as_unavailable(status: int, body: bytes) -> None:
    with an_address(status, body) as url, pytest.raises(IssuerUnavailable, match="cannot be used"):
        CachedKeys(fetched_from(url, timeout=2)).find("ec")
