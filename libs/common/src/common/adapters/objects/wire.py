"""HTTP for large objects: straight from and into buffers that are used again, by the standard library.

Neither obstore nor the SDKs can read into a buffer of ours; each part of theirs is memory that the kernel has to find
and clear anew, which costs as much as moving the bytes. Whoever signs the address says what may be asked.
"""

from __future__ import annotations

import http.client
import re
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from common.adapters.objects.obstore_answers import Answer
from common.errors import StoreUnavailable

_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9_.]+)\s*</Code>")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_MOST_SAID = 64 * 1024
"""Bytes of a refusal that are read; a longer one costs its connection."""

_Failed = (OSError, http.client.HTTPException)


def can_send(headers: Mapping[str, str]) -> bool:
    """Whether the headers arrive as they are, whatever is between here and there."""
    return all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers.items())


class Refusal(Exception):
    """The store answered otherwise than was hoped, or not at all."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer))
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is no refusal."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = b""
    """Empty where it went into a buffer; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    data: bytes | memoryview | None = None
    into: memoryview | None = None
    first: int = 0


@dataclass(frozen=True)
class Wire:
    """Connections that are kept open, to any number of hosts. Thread-safe. Retries nothing, but replaces a connection
    that the server closed while it lay idle. Proxies are those of the environment."""

    connect_timeout: float
    read_timeout: float
    """Seconds without a byte."""
    _idle: dict[str, deque[http.client.HTTPConnection]] = field(default_factory=dict)

    def read_into(
        self, url: str, into: memoryview, *, first: int, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPMessage, int]:
        """Fill `into` with the object's bytes from `first` on: the answer's headers and the whole object's size.

        Raises Refusal (416, too, where the object ends before the range does), and StoreUnavailable where the store
        sends another range than it was asked for.
        """
        ranged = {**headers, "Range": f"bytes={first}-{first + len(into) - 1}"}
        told = self._exchange(_Request("GET", url, ranged, into=into, first=first))
        return told.headers, _whole_size(told, first, len(into))

    def ask(
        self, method: str, url: str, data: bytes | memoryview | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Told:
        """The answer to a request that may be sent twice. Raises Refusal."""
        return self._exchange(_Request(method, url, headers or {}, data=data))

    def _exchange(self, request: _Request) -> Told:
        place = urlsplit(request.url)
        idle = self._idle.setdefault(f"{place.scheme}://{place.netloc}", deque())
        with suppress(IndexError):
            used = idle.pop()
            try:
                return _exchanged(used, request, idle)
            except TimeoutError:
                raise Refusal(Answer(None)) from None
            except _Failed:
                # Closed while it lay idle, it may be. Reads and parts can be asked for twice.
                used.close()
        try:
            return _exchanged(self._connection(place), request, idle)
        except _Failed as problem:
            raise Refusal(Answer(None, cut=isinstance(problem, http.client.IncompleteRead))) from problem

    def _connection(self, place: SplitResult) -> http.client.HTTPConnection:
        """A new one, connected. Raises OSError."""
        proxy = _proxy(place)
        host, port = (proxy or place).hostname or "", (proxy or place).port
        connection = http.client.HTTPConnection(host, port, timeout=self.connect_timeout)
        if place.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=self.connect_timeout, context=self._tls)
            if proxy is not None:
                connection.set_tunnel(place.hostname or "", place.port, headers=_login(proxy))
        connection.connect()
        connection.sock.settimeout(self.read_timeout)
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _exchanged(
    connection: http.client.HTTPConnection, request: _Request, idle: deque[http.client.HTTPConnection]
) -> Told:
    """The answer, taken in. The connection is idle again afterwards, or closed. Raises Refusal and what _Failed is."""
    whole = False
    try:
        answer = _asked(connection, request)
        if answer.status >= 300:
            refusal = Refusal(_read_refusal(answer))
            whole = answer.isclosed()
            raise refusal
        body = _take_in(answer, request)
        whole = answer.isclosed()
    finally:
        if whole and not answer.will_close:
            idle.append(connection)
        else:
            connection.close()
    return Told(answer.status, answer.headers, body)


def _asked(connection: http.client.HTTPConnection, request: _Request) -> http.client.HTTPResponse:
    place = urlsplit(request.url)
    target = place._replace(scheme="", netloc="").geturl() or "/"
    headers = dict(request.headers)
    proxy = _proxy(place) if place.scheme == "http" else None
    if proxy is not None:
        target = request.url
        headers |= _login(proxy)
    # A refusal may come before all was sent, and says why the connection was closed then.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(request.method, target, body=request.data, headers=headers)
    return connection.getresponse()


def _read_refusal(answer: http.client.HTTPResponse) -> Answer:
    said = answer.read(_MOST_SAID)
    if len(said) == _MOST_SAID:
        answer.will_close = True
    code = _CODE.search(said)
    after = answer.headers.get("Retry-After", "")
    name = code[1].decode() if code else answer.headers.get("x-ms-error-code")
    return Answer(answer.status, name, float(after) if after.isdigit() else None)


def _take_in(answer: http.client.HTTPResponse, request: _Request) -> bytes:
    """The whole body, into the request's buffer where it has one. Raises IncompleteRead where it is cut."""
    into, filled = request.into, 0
    if into is not None:
        _whole_size(Told(answer.status, answer.headers), request.first, len(into))
        while filled < len(into):
            count = answer.readinto(into[filled:])
            if not count:
                raise http.client.IncompleteRead(b"", len(into) - filled)
            filled += count
    return answer.read(_MOST_SAID)


def _whole_size(answer: Told, first: int, length: int) -> int:
    """The object's size, by an answer that is the range that was asked for."""
    told = answer.headers.get("Content-Range", "")
    found = _RANGE.fullmatch(told)
    if answer.status == 206 and found and int(found[1]) == first:
        if int(found[3]) < first + length:
            raise Refusal(Answer(416, "InvalidRange"))
        if int(found[2]) == first + length - 1:
            return int(found[3])
    wanted = f"bytes {first} to {first + length - 1} were asked for"
    raise StoreUnavailable(f"{wanted}; the answer was {answer.status} with {told or 'no range'}")


def _proxy(place: SplitResult) -> SplitResult | None:
    """What the environment says: HTTPS_PROXY and its like, but for NO_PROXY."""
    address = getproxies().get(place.scheme)
    if not address or proxy_bypass(place.hostname or ""):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}
