"""A listener to streams of events, and things to hear."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from httpx_sse import EventSource, ServerSentEvent
from sqlalchemy import Engine

from common.ledger import events
from common.ledger.engine import transaction
from ingests_api.streaming.streams import Rhythm

LIVELY = Rhythm(look_every=0.05, heartbeat=1.0)


@dataclass
class Hearing:
    """An open stream."""

    answer: httpx.Response
    last_id: str = ""
    _events: Iterator[ServerSentEvent] = field(init=False)

    def __post_init__(self) -> None:
        # What has no data is no event: browsers do not tell of it either.
        self._events = (event for event in EventSource(self.answer).iter_sse() if event.data)

    def next(self) -> tuple[str, Any]:
        """The next event's name, and its sentence, or its whole document where it has none."""
        event = next(self._events)
        self.last_id = event.id or self.last_id
        document = json.loads(event.data)
        return event.event, document.get("code") or document.get("description") or document

    def several(self, number: int) -> list[tuple[str, Any]]:
        return [self.next() for _ in range(number)]

    def rest(self) -> list[tuple[str, Any]]:
        """Until the stream ends."""
        found = []
        while True:
            try:
                found.append(self.next())
            except StopIteration:
                return found


@contextmanager
def listening(client: httpx.Client, path: str, after: str = "", **more: str) -> Iterator[Hearing]:
    headers: Mapping[str, str] = {**({"Last-Event-ID": after} if after else {}), **more}
    with client.stream("GET", path, headers=headers, timeout=10) as answer:
        answer.raise_for_status()
        yield Hearing(answer)


def says(engine: Engine, ingest_id: str, *what: str) -> None:
    """A sentence in the ingest's history, or several in one transaction."""
    with transaction(engine) as connection:
        for each in what:
            events.add(connection, UUID(ingest_id), each)
