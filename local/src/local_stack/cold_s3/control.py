"""The endpoints below /_cold/ that drive the simulation, in front of moto."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from local_stack.cold_s3.archive import Shelf
from local_stack.cold_s3.freezer import Freezer

_PREFIX = "/_cold/"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Control:
    """WSGI: answers what is below /_cold/, hands on the rest."""

    def __init__(self, freezer: Freezer, inner: Application) -> None:
        self._freezer = freezer
        self._inner = inner
        self._actions: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "clock"): lambda _: self._clock(),
            ("POST", "clock"): self._set_clock,
            ("POST", "archive-tier"): self._archive_tier,
            ("POST", "faults"): self._faults,
            ("GET", "requests"): lambda asked: freezer.counts(asked.get("bucket", "")),
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith(_PREFIX):
            return self._inner(environ, start_response)
        status, answer = self._answer(environ, path.removeprefix(_PREFIX))
        body = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any], name: str) -> tuple[str, Any]:
        action = self._actions.get((environ["REQUEST_METHOD"], name))
        if action is None:
            return "404 Not Found", {"error": f"there is no {environ['REQUEST_METHOD']} {_PREFIX}{name}"}
        try:
            return "200 OK", action(_asked(environ))
        except (ValueError, TypeError, LookupError) as error:
            return "400 Bad Request", {"error": str(error)}

    def _clock(self) -> dict[str, Any]:
        return {"now": self._freezer.clock.now().isoformat(), "ratio": self._freezer.clock.ratio}

    def _set_clock(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "ratio" in asked:
            self._freezer.clock.set_ratio(float(asked["ratio"]))
        if "advance_seconds" in asked:
            self._freezer.clock.advance(float(asked["advance_seconds"]))
        self._freezer.clock_changed()
        return self._clock()

    def _archive_tier(self, asked: dict[str, Any]) -> dict[str, Any]:
        bucket, name = asked["bucket"], asked["key"]
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        if bucket not in backend.buckets:
            raise LookupError(f"there is no bucket {bucket!r}")
        key = backend.get_object(bucket, name, version_id=asked.get("version_id"))
        if key is None:
            raise LookupError(f"there is no object {name!r} in bucket {bucket!r}")
        self._freezer.put_on_shelf(key, Shelf(asked["tier"]) if asked.get("tier") else None)
        return {}

    def _faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._freezer.slow_down(int(asked.get("slow_down", 0)))
        self._freezer.no_expedited_capacity = bool(asked.get("no_expedited_capacity", False))
        return {}


def _asked(environ: dict[str, Any]) -> dict[str, Any]:
    """The query, or the JSON body."""
    if environ["REQUEST_METHOD"] == "GET":
        return {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    asked = json.loads(body or b"{}")
    if not isinstance(asked, dict):
        raise ValueError(f"the body must be a JSON object, was {body[:80]!r}")
    return asked
