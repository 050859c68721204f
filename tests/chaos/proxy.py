"""An HTTP proxy in front of one store that spoils some requests, as its rules say.

Requests pass as they came, the Host header too: signatures cover it. Bodies stream. One connection of a client has one
connection to the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable

from chaos.http_frames import MOST_HEAD, Head, Piece, answer_body, ends_by_closing, read_head, request_body
from chaos.resets import reset
from chaos.rules import THROTTLES, Fault, Rules
from chaos.spoiling import Cut, spoilt
from chaos.valve import Valve

Watch = Callable[[Head, Head], None]
"""Called with a request and the store's answer to it, before the answer meets its fault."""

_LONGEST_DELAY = 1.5
_MOST_KEPT = 1 << 20
_RANGE = re.compile(rb"(?i)(\r\ncontent-range: *bytes )(\d+)-(\d+)")


class Proxy:
    """Listens on a port of its own; `valve` closes it like a black hole, `watch` is told of every answer."""

    def __init__(self, *, upstream_port: int, rules: Rules, watch: Watch | None = None) -> None:
        self.rules = rules
        self.watch: Watch = watch or (lambda request, answer: None)
        self.valve = Valve()
        self.kept = b""
        """The last whole answer to a GET, head and body."""
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MOST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(reader, writer, self)
        try:
            while await link.exchange():
                pass
        except Cut as cut:
            if cut.reset:
                reset(writer)
                link.break_upstream()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            reset(writer)
        except asyncio.CancelledError:
            # asyncio's streams would report it as an error; the run is over, that is all.
            return
        finally:
            link.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection to the store."""
        return await asyncio.open_connection("127.0.0.1", self._upstream_port, limit=MOST_HEAD)


class _Link:
    """A client's connection and the store's that belongs to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Proxy) -> None:
        self._reader, self._writer, self._proxy = reader, writer, proxy
        self._rules = proxy.rules
        self._upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self) -> bool:
        """One request and its answer; False when the connection is to end."""
        head = await read_head(self._reader)
        if head is None:
            return False
        await self._proxy.valve.passed()
        fault = self._rules.draw(head.method)
        if fault in THROTTLES:
            return await self._throttle(head, fault)
        if fault is Fault.REPLAY and self._proxy.kept:
            return await self._replay()
        await self._before(fault)
        await self._send(head, fault)
        answer = await self._answer()
        self._proxy.watch(head, answer)
        if fault is Fault.LOSE_ANSWER:
            self._rules.count(fault)
            raise Cut
        await self._return(head, answer, fault)
        return not (head.closes or answer.closes or ends_by_closing(answer, method=head.method))

    async def _before(self, fault: Fault | None) -> None:
        if fault is Fault.DROP:
            self._rules.count(fault)
            raise Cut
        if fault is Fault.DELAY:
            self._rules.count(fault)
            await asyncio.sleep(self._rules.random.uniform(0.05, _LONGEST_DELAY))

    async def _send(self, head: Head, fault: Fault | None) -> None:
        """Pass the request on. Who expects a 100 gets it here, so that no side waits for the other."""
        _, upstream = await self._connected()
        upstream.write(head.without("expect"))
        if "expect" in head.headers:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._writer.drain()
        body = self._valved(request_body(self._reader, head))
        async for piece in spoilt(body, length=head.length, fault=_of_uploads(fault), rules=self._rules):
            upstream.write(piece.raw)
            await upstream.drain()

    async def _answer(self) -> Head:
        assert self._upstream is not None
        while True:
            head = await read_head(self._upstream[0])
            if head is None:
                raise ConnectionResetError("the store closed the connection")
            if head.status >= 200:
                return head

    async def _return(self, request: Head, answer: Head, fault: Fault | None) -> None:
        assert self._upstream is not None
        self._writer.write(self._range_named(answer) if fault is Fault.WRONG_RANGE else answer.raw)
        body = self._valved(answer_body(self._upstream[0], answer, method=request.method))
        passed = bytearray()
        async for piece in spoilt(body, length=answer.length, fault=_of_answers(fault), rules=self._rules):
            self._writer.write(piece.raw)
            await self._writer.drain()
            passed += piece.raw if len(passed) < _MOST_KEPT else b""
        if fault is None and request.method == "GET" and answer.status < 300 and len(passed) < _MOST_KEPT:
            self._proxy.kept = answer.raw + passed

    def _range_named(self, answer: Head) -> bytes:
        """The answer's head with another Content-Range; as it is where it has none."""
        moved, number = _RANGE.subn(lambda r: b"%s%d-%d" % (r[1], int(r[2]) + 1, int(r[3]) + 1), answer.raw)
        if number:
            self._rules.count(Fault.WRONG_RANGE)
        return moved

    async def _replay(self) -> bool:
        self._rules.count(Fault.REPLAY)
        self._writer.write(self._proxy.kept)
        await self._writer.drain()
        return False

    async def _valved(self, pieces: AsyncIterator[Piece]) -> AsyncIterator[Piece]:
        async for piece in pieces:
            await self._proxy.valve.passed()
            yield piece

    async def _throttle(self, head: Head, fault: Fault) -> bool:
        """Answer in the store's place, having taken the request's body, as a polite store does."""
        if "expect" not in head.headers:
            async for _ in request_body(self._reader, head):
                pass
        self._rules.count(fault)
        status, wait = THROTTLES[fault]
        self._writer.write(_busy(status, wait, method=head.method))
        await self._writer.drain()
        return "expect" not in head.headers

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._upstream is not None and self._upstream[0].at_eof():
            self._upstream[1].close()
            self._upstream = None
        if self._upstream is None:
            self._upstream = await self._proxy.connect()
        return self._upstream

    def break_upstream(self) -> None:
        """A client that is gone in the middle of its request leaves the store with a broken connection."""
        if self._upstream is not None:
            reset(self._upstream[1])

    def close(self) -> None:
        for writer in (self._writer, *([self._upstream[1]] if self._upstream else [])):
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()


def _of_uploads(fault: Fault | None) -> Fault | None:
    return fault if fault in (Fault.FLIP_UPLOAD, Fault.RESET_UPLOAD) else None


def _of_answers(fault: Fault | None) -> Fault | None:
    return fault if fault in (Fault.FLIP, Fault.RESET, Fault.TRUNCATE, Fault.DRIP, Fault.OTHER_RANGE) else None


def _busy(status: int, wait: int | None, *, method: str) -> bytes:
    body = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>"
    reason = "Slow Down" if status == 503 else "Too Many Requests"
    lines = [f"HTTP/1.1 {status} {reason}", "Content-Type: application/xml", f"Content-Length: {len(body)}"]
    if wait is not None:
        lines.append(f"Retry-After: {wait}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if method == "HEAD" else head + body
