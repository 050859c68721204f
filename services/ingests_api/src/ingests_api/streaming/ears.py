"""What waits for one listener: bounded, so that who does not listen costs nothing but their place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from common.domain.ingest import IngestStatus
from common.ledger.feed import IngestNews, News, Position, Topic

MOST = 256 * 1024
"""Bytes that wait for one listener; with the 200 listeners of a process 50 MiB at worst."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event on its way to listeners."""

    chunk: bytes
    at: Position
    finished: bool
    """Whether its ingest has finished."""


def concerns(topic: Topic, news: News) -> bool:
    """Whether who listens to the topic hears these news."""
    if topic.ingest is not None:
        return isinstance(news, IngestNews) and news.ingest_id == topic.ingest
    return topic.campaign is None or news.campaign_id == topic.campaign


def finishes(news: News) -> bool:
    return isinstance(news, IngestNews) and news.status in (IngestStatus.SUCCEEDED, IngestStatus.FAILED)


class Ear:
    """Lives in the event loop of the server."""

    def __init__(self, topic: Topic, *, most: int = MOST) -> None:
        self.topic = topic
        self.goodbye: str | None = None
        """Why there is nothing more to come, once there is not."""
        self._most = most
        self._waiting: list[Heard] = []
        self._bytes = 0
        self._woken = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether something waits for the listener."""
        return bool(self._waiting)

    def tell(self, heard: Heard) -> None:
        """Or, where too much waits already, give the listener up."""
        if self.goodbye:
            return
        self._bytes += len(heard.chunk)
        if self._bytes > self._most:
            self.end("listener_too_slow")
            return
        self._waiting.append(heard)
        self._woken.set()

    def end(self, code: str) -> None:
        """Nothing more will be told. Who was too slow is not told what waits either: that would take as long."""
        if self.goodbye is None:
            self.goodbye = code
            if code == "listener_too_slow":
                self._waiting.clear()
            self._woken.set()

    async def listen(self, seconds: float) -> list[Heard]:
        """What waits; none after so many seconds without, or where nothing more will come."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return []
        heard, self._waiting, self._bytes = self._waiting, [], 0
        if self.goodbye is None:
            self._woken.clear()
        return heard
