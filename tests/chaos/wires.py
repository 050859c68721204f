"""The event loop that all proxies and pipes live on, in a thread of its own, and how other threads reach them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from chaos.valve import Valve

_SECONDS = 10.0


class Wire(Protocol):
    """What listens and can become a black hole."""

    valve: Valve

    async def start(self, port: int = 0) -> int: ...

    def stop(self) -> None: ...


class Wires:
    """Every wire of a run. Its methods may be called from any thread but the loop's own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._wires: list[Wire] = []

    def listen(self, wire: Wire) -> int:
        """Start the wire; returns its port."""
        self._wires.append(wire)
        return asyncio.run_coroutine_threadsafe(wire.start(), self._loop).result(_SECONDS)

    def shut(self, wire: Wire) -> None:
        """From now on nothing passes."""
        self._soon(wire.valve.close)

    def clear(self, wire: Wire) -> None:
        """What waited passes now."""
        self._soon(wire.valve.open)

    def _soon(self, act: Callable[[], None]) -> None:
        async def call() -> None:
            act()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(_SECONDS)

    def __enter__(self) -> Wires:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    async def _end(self) -> None:
        for wire in self._wires:
            wire.valve.open()
            wire.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
