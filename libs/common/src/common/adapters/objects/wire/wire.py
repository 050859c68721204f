"""Requests to one store and what comes of them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from common.adapters.objects.answers import Answer
from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.connection import Closed, Connection, Cut
from common.adapters.objects.wire.heads import Nonsense, read_head, request_head
from common.adapters.objects.wire.opening import Origin
from common.adapters.objects.wire.refusal import Refusal
from common.adapters.objects.wire.wholeness import filled, size_of_all, whole

S = TypeVar("S")
T = TypeVar("T")

_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9_.]+)\s*</Code>")
MOST_SAID = 64 * 1024
"""Bytes of an answer that is not an object's; a longer one is cut, and costs its connection."""
BLOCK = 256 * 1024
"""Bytes to take from a stream at once: larger blocks cost page faults, smaller ones calls."""
_MOST_HINTS = 8
"""Answers before the answer (100 Continue and its like)."""

_RefusedEarly = (BrokenPipeError, ConnectionResetError)
"""A refusal may come before all was sent, and says why the connection was closed then."""
FAILED = (OSError, Cut, Closed, Nonsense)


class Told(NamedTuple):
    """An answer that is no refusal."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes = b""
    """Empty where it went into a buffer; a longer one is cut."""


class Request(NamedTuple):
    """One that may be sent."""

    method: str
    head: bytes
    data: bytes | memoryview | None
    twice: bool
    """May be sent again where nobody knows whether the first one arrived."""


@dataclass(frozen=True)
class Wire:
    """Connections to one server, kept open. Thread-safe. Retries nothing, but replaces a connection that the server
    closed while it lay idle. Follows no redirect. Proxies are those of the environment."""

    origin: Origin
    _idle: deque[Connection] = field(default_factory=deque)

    @classmethod
    def to(cls, address: str, *, connect_timeout: float = 10, read_timeout: float = 60) -> Wire:
        """To the server of the address. Raises ConfigurationError."""
        return cls(Origin.of(address, connect_timeout=connect_timeout, read_timeout=read_timeout))

    def ask(
        self,
        method: str,
        target: str,
        data: bytes | memoryview | None = None,
        *,
        headers: Mapping[str, str],
        twice: bool = True,
        most: int = MOST_SAID,
    ) -> Told:
        """The answer, cut behind `most` bytes. `twice`: it may be sent again where nobody knows whether it arrived.
        Raises Refusal."""
        return self._exchange(self.request(method, target, headers, data, twice=twice), _told, most)

    def fetch(self, target: str, into: memoryview, *, headers: Mapping[str, str]) -> tuple[dict[str, str], int | None]:
        """The whole object from the start of `into` on: the answer's headers and the object's size, which is None where
        there is more than `into` holds. Raises Refusal."""
        return self._exchange(self.request("GET", target, headers), whole, into)

    def read_into(
        self, target: str, into: memoryview, *, first: int, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], int]:
        """Fill `into` with the object's bytes from `first` on: the answer's headers and the whole object's size.

        Raises Refusal (416, too, where the object ends before the range does), and StoreUnavailable where the store
        sends another range than it was asked for.
        """
        ranged = {**headers, "Range": f"bytes={first}-{first + len(into) - 1}"}

        def take(body: Incoming, into: memoryview) -> tuple[dict[str, str], int]:
            return body.head.headers, filled(body, into, first)

        return self._exchange(self.request("GET", target, ranged), take, into)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        data: bytes | memoryview | None = None,
        *,
        twice: bool = True,
    ) -> Request:
        """What `ask` sends. Raises ValueError for what would be read as something else."""
        size = len(data or b"") if data is not None or method == "PUT" or method == "POST" else None
        origin = self.origin
        head = request_head(method, origin.before_target + target, headers, always=origin.always, size=size)
        return Request(method, head, data, twice)

    def open(
        self, target: str, *, first: int, end: int | None, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], int, Blocks]:
        """The object's bytes from `first` to the one before `end` (None: to its end), or as many of them as there are:
        the answer's headers, the whole object's size and the blocks, which must be closed.

        Raises Refusal, as the blocks do, and StoreUnavailable as `read_into` does.
        """
        ranged = dict(headers)
        if (first, end) != (0, None):
            ranged["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
        connection, body = self._begun(self.request("GET", target, ranged))
        blocks = Blocks(body, lambda: self._done(connection, body))
        try:
            return body.head.headers, size_of_all(body, first, end), blocks
        except BaseException as problem:
            blocks.close()
            raise refusal(problem) if isinstance(problem, Nonsense) else problem from None

    def _exchange(self, request: Request, take: Callable[[Incoming, S], T], into: S) -> T:
        """What `take` makes of the answer. Raises Refusal, and what `take` raises."""
        connection, body = self._begun(request)
        try:
            return take(body, into)
        except FAILED as problem:
            raise refusal(problem) from problem
        finally:
            self._done(connection, body)

    def _begun(self, request: Request) -> tuple[Connection, Incoming]:
        """The answer's head has arrived, and is no refusal."""
        try:
            connection, body = self._asked(request)
        except FAILED as problem:
            raise refusal(problem) from problem
        if body.head.status < 300:
            return connection, body
        try:
            raise Refusal(read_refusal(body))
        except FAILED as problem:
            raise refusal(problem) from problem
        finally:
            self._done(connection, body)

    def connected(self) -> Connection:
        """A connection that stands; to be given back. Raises OSError."""
        return self._used() or self.origin.connect()

    def give_back(self, connections: Iterable[Connection]) -> None:
        """They stand, and nothing is under way over them."""
        self._idle.extend(connections)

    def _asked(self, request: Request) -> tuple[Connection, Incoming]:
        if (used := self._used()) is not None:
            try:
                return used, _answer(used, request)
            except TimeoutError:
                raise
            except FAILED:
                # Closed while it lay idle, it may be.
                if not request.twice:
                    raise
        connection = self.origin.connect()
        return connection, _answer(connection, request)

    def _used(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.stands():
                return connection
            connection.close()

    def _done(self, connection: Connection, body: Incoming) -> None:
        """The connection is idle again, or closed where it cannot be used."""
        if body.taken and body.head.lasts:
            connection.rests()
            self._idle.append(connection)
        else:
            connection.close()


class Blocks:
    """The rest of an answer, in views of one buffer; given back to the wire when closed."""

    def __init__(self, body: Incoming, done: Callable[[], None]) -> None:
        self._body = body
        self._done: Callable[[], None] | None = done

    def __iter__(self) -> Iterator[memoryview]:
        view = memoryview(bytearray(BLOCK))
        while True:
            try:
                count = self._body.fill(view)
            except FAILED as problem:
                raise refusal(problem) from problem
            if not count:
                return
            yield view[:count]

    def close(self) -> None:
        """Twice: nothing happens."""
        done, self._done = self._done, None
        if done is not None:
            done()


def _answer(connection: Connection, request: Request) -> Incoming:
    """Closes the connection where there is none."""
    sent(connection, request)
    return heard(connection, request)


def sent(connection: Connection, request: Request) -> None:
    """Closes the connection where it cannot be."""
    try:
        connection.send(request.head, request.data)
    except _RefusedEarly:
        pass
    except BaseException:
        connection.close()
        raise


def heard(connection: Connection, request: Request) -> Incoming:
    """The answer's head has arrived. Closes the connection where there is none."""
    try:
        for _ in range(_MOST_HINTS):
            head = read_head(connection.head(), method=request.method)
            if head.status == 101:
                raise Nonsense("another protocol was offered")
            if head.status >= 200:
                return Incoming(connection, head)
        raise Nonsense(f"more than {_MOST_HINTS} answers before the answer")
    except BaseException:
        connection.close()
        raise


def read_refusal(body: Incoming) -> Answer:
    """What the store says where it refuses."""
    said, headers = body.text(MOST_SAID), body.head.headers
    code = _CODE.search(said)
    after = headers.get("retry-after", "")
    name = code[1].decode() if code else headers.get("x-ms-error-code")
    return Answer(body.head.status, name, float(after) if after.isascii() and after.isdigit() else None)


def refusal(problem: BaseException) -> Refusal:
    """Where it said nothing, or nothing that could be read."""
    return Refusal(Answer(None, cut=isinstance(problem, Cut), why=str(problem)))


def _told(body: Incoming, most: int) -> Told:
    return Told(body.head.status, body.head.headers, body.text(most))
