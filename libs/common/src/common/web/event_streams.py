"""Server-Sent Events: the answer that stays open, and how it ends with the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.sse import format_sse_event
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = format_sse_event(comment="nothing new")
"""A comment: clients pass it over, and whatever lies between them and us sees that the connection is in use."""


class Chunks(Protocol):
    """What is sent, and what is to be done when it is not wanted any more."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class EventStream(Response):
    """Sends what `events` yields, until it ends or the client leaves. `events` is closed in either case."""

    media_type = MEDIA_TYPE

    def __init__(self, events: Chunks, *, patience: float = 30) -> None:
        """`patience`: seconds for which a client may take nothing at all before it is given up."""
        # no-transform and X-Accel-Buffering keep proxies from holding events back.
        super().__init__(headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._patience = patience

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        speaking, leaving = asyncio.create_task(self._speak(send)), asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (speaking, leaving):
                task.cancel()
            ends = await asyncio.gather(speaking, leaving, return_exceptions=True)
            await self._events.aclose()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _speak(self, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for chunk in self._events:
                await asyncio.wait_for(send(_body(chunk, more=True)), self._patience)
            await asyncio.wait_for(send(_body(b"", more=False)), self._patience)
        except TimeoutError:
            return


def _body(chunk: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def before_stop(app: FastAPI, action: Callable[[], None]) -> None:
    """Have `action` called when the server is told to stop: answers that stay open must end then. Any thread calls."""
    app.state.before_stop = [*getattr(app.state, "before_stop", []), action]


def tell_stop(app: FastAPI) -> None:
    """The server is about to stop."""
    for action in getattr(app.state, "before_stop", []):
        action()
