"""HTTP with timeouts, retries of what may be repeated, and errors that say what the API said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

from backfill_client.errors import ApiRefused, ApiUnreachable, NotFound
from backfill_client.trust import trusted

Query = Mapping[str, str | int | Sequence[str] | None]
"""Parameters of a request; None is left out, of a sequence each."""

_TRIES = 4
_TOO_MANY = 429
"""Whatever was asked for was refused before it began: it may be repeated, even where it is done once only."""
_AGAIN = frozenset({_TOO_MANY, 502, 503, 504})
_REFUSED = frozenset({_TOO_MANY})
_LONGEST_PAUSE = 60.0
"""Seconds: the API's limits are for a minute, and who comes back earlier than told is refused again."""
_SILENCE = 45.0
"""Seconds after which a stream that says nothing is broken: it says something every 15."""


class Transport:
    """Talks to one API. Use it from one thread, or one for each."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        auth: httpx.Auth | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address.rstrip("/")
        self._sleep = sleep
        self._http = httpx.Client(
            timeout=timeout,
            auth=auth,
            follow_redirects=True,
            headers={"Accept": "application/json"},
            verify=trusted(),
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, params: Query | None = None) -> Any:
        """The document at `path`; tried up to four times. Raises ApiUnreachable, ApiRefused."""
        return self._document(self._got(path, params, {}))

    def text(self, path: str, params: Query | None = None) -> str:
        """As `get`, of what is no JSON."""
        answer = self._got(path, params, {"Accept": "*/*"})
        if answer.status_code >= 400:
            self._document(answer)
        return answer.text

    def pages(self, path: str, params: Mapping[str, str | None], limit: int | None) -> Iterator[Any]:
        """What the pages of a list hold, `limit` at most. Raises ApiUnreachable, ApiRefused."""
        left, after = limit, None
        while left is None or left > 0:
            page = self.get(path, {**params, "after": after, "limit": 500 if left is None else min(500, left)})
            yield from page["results"]
            left = None if left is None else left - len(page["results"])
            if "next" not in page:
                return
            after = page["next"]

    def news(self, path: str, params: Query | None = None, *, etag: str | None) -> tuple[Any, str | None]:
        """As `get`, with the document's ETag; the document is None where it is still the one of `etag`."""
        answer = self._got(path, params, {"If-None-Match": etag} if etag else {})
        if answer.status_code == 304:
            return None, etag
        return self._document(answer), answer.headers.get("etag")

    @contextmanager
    def stream(self, path: str, *, after: str | None) -> Iterator[httpx.Response | None]:
        """A stream of events that is open; None: there is nothing more to come. Raises ApiUnreachable, ApiRefused."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        timeout = httpx.Timeout(self._http.timeout.connect, read=_SILENCE)
        try:
            with self._http.stream("GET", self._address + path, headers=headers, timeout=timeout) as answer:
                if answer.status_code not in (200, 204):
                    answer.read()
                    self._document(answer)
                yield answer if answer.status_code == 200 else None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    def _got(self, path: str, params: Query | None, headers: Mapping[str, str]) -> httpx.Response:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        return self._tried(lambda: self._http.get(self._address + path, params=given, headers=dict(headers)))

    def download(self, path: str, params: Mapping[str, str | int | None]) -> Iterator[bytes]:
        """The bytes at `path`, as they come; asked for once. Raises ApiUnreachable, also where they end early."""
        given = {name: value for name, value in params.items() if value is not None}
        try:
            with self._http.stream("GET", self._address + path, params=given) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self._document(answer)
                yield from answer.iter_bytes()
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    def _tried(self, send: Callable[[], httpx.Response], *, once: bool = False) -> httpx.Response:
        """What may be repeated, is: up to four times. With `once`, that is what was refused as one of too many."""
        again = _REFUSED if once else _AGAIN
        for attempt in range(1, _TRIES + 1):
            try:
                answer = send()
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if once or attempt == _TRIES:
                    raise self._unreachable(error) from error
                self._sleep(_pause(attempt, None))
                continue
            if answer.status_code not in again or attempt == _TRIES:
                return answer
            self._sleep(_pause(attempt, answer.headers.get("retry-after")))
        raise AssertionError

    def post(self, path: str, document: Mapping[str, Any], *, key: str | None = None) -> Any:
        """What the API answers to the document. Raises ApiUnreachable, ApiRefused.

        Sent again where it was one of too many; with `key`, its Idempotency-Key, also where its answer is lost, as the
        API carries it out once.
        """
        if key is None:
            return self._send("POST", path, document)
        address, headers = self._address + path, {"Idempotency-Key": key}
        return self._document(self._tried(lambda: self._http.post(address, json=dict(document), headers=headers)))

    def create(self, path: str, document: Mapping[str, Any]) -> Any:
        """As `post` with a key of its own: a lost answer is asked for again, and nothing is created twice."""
        return self.post(path, document, key=str(uuid4()))

    def patch(self, path: str, document: Mapping[str, Any]) -> Any:
        """As `post`, to change what is there."""
        return self._send("PATCH", path, document)

    def delete(self, path: str) -> None:
        """Raises ApiUnreachable, ApiRefused."""
        answer = self._tried(lambda: self._http.delete(self._address + path), once=True)
        if answer.status_code != 204:
            self._document(answer)

    def _send(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        address, body = self._address + path, dict(document)
        return self._document(self._tried(lambda: self._http.request(method, address, json=body), once=True))

    def _document(self, answer: httpx.Response) -> Any:
        try:
            document = answer.json()
        except ValueError:
            document = None
        if answer.status_code >= 500 or document is None:
            raise ApiUnreachable(f"{self._address} answered {answer.status_code} {answer.reason_phrase}")
        if answer.status_code >= 400:
            kind = NotFound if answer.status_code == 404 else ApiRefused
            told = document if isinstance(document, dict) else {}
            raise kind(
                status=answer.status_code,
                label=str(told.get("label", answer.reason_phrase)),
                description=str(told.get("description", "")),
            )
        return document

    def _unreachable(self, error: Exception) -> ApiUnreachable:
        return ApiUnreachable(f"{self._address} cannot be reached: {str(error) or type(error).__name__}")


def _pause(attempt: int, asked: str | None) -> float:
    """Seconds: what the server asked for, else doubled from a quarter of a second."""
    seconds = float(asked) if asked and asked.isdecimal() else 0.25 * 2 ** (attempt - 1)
    return min(seconds, _LONGEST_PAUSE)
