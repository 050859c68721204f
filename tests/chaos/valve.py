"""A valve between two ends of a connection: closed, nothing flows and nothing is refused, as in a black hole."""

from __future__ import annotations

import asyncio


class Valve:
    """Open at first. Belongs to one event loop."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    async def passed(self) -> None:
        """Return when it is open."""
        await self._open.wait()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()
