"""Health probes over HTTP."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from common.runtime.health import serve_health


def answer(port: int, path: str) -> tuple[int, object]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/livez", (200, {"status": "ok", "problems": {}})),
        ("/livez?verbose", (200, {"status": "ok", "problems": {}})),
        ("/readyz", (503, {"status": "unavailable", "problems": {"ledger": "gone"}})),
        ("/secret", (404, {"status": "unavailable", "problems": {"path": "not found"}})),
    ],
)
def test_a_probe_says_what_is_wrong(path: str, expected: tuple[int, object]) -> None:
    server = serve_health(port=0, alive=dict, ready=lambda: {"ledger": "gone"})
    try:
        assert answer(server.server_address[1], path) == expected
    finally:
        server.shutdown()
        server.server_close()
