"""A TCP pipe that can go silent: what a partition is between a worker and its database or broker."""

from __future__ import annotations

import asyncio
import contextlib

from chaos.resets import reset
from chaos.valve import Valve

_BLOCK = 64 * 1024


class Pipe:
    """Passes bytes both ways between a port of its own and `upstream_port`."""

    def __init__(self, *, upstream_port: int) -> None:
        self.valve = Valve()
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._joined(reader, writer)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.valve.passed()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            reset(writer)
            return
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await source.read(_BLOCK):
                await self.valve.passed()
                sink.write(block)
                await sink.drain()
        with contextlib.suppress(OSError, RuntimeError):
            sink.close()
