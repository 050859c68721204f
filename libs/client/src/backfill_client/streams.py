"""Listening: what happens to one ingest, in one campaign, or to all, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

import httpx
from pydantic import Field

from backfill_client.errors import ApiUnreachable
from backfill_client.models import Answer, Wrapped

_TRIES = 4
_PAUSE = 3.0
"""Seconds before a stream is opened again, until the API says how many."""


class News(Answer):
    """A sentence of the history of an ingest, or of a campaign."""

    id: str
    """Where a listener is who has heard it: `after` of the next who goes on from here."""
    description: str
    created_date: datetime
    ingest_id: str | None = None
    """None: the campaign's own."""
    space: str | None = None
    external_identifier: str | None = None
    version: str | None = None
    destination: str | None = None
    status: Wrapped | None = None
    """Of the ingest, when this was told."""
    detail: dict[str, Any] = Field(default_factory=dict)
    campaign_id: str | None = Field(default=None, alias="backfillId")
    by: str | None = None
    """Who did this to a campaign."""

    @property
    def about(self) -> str:
        """The bag version, such as "digitised/b12345/v2", or the campaign."""
        if self.ingest_id is None:
            return f"campaign {self.campaign_id}"
        return f"{self.space}/{self.external_identifier}/{self.version}"


class Source(Protocol):
    """What opens streams."""

    def stream(self, path: str, *, after: str | None) -> AbstractContextManager[httpx.Response | None]:
        """The open answer; None: there is nothing more to come. Raises ApiUnreachable, ApiRefused."""
        ...


class Streams:
    """`client.streams`. Each is opened again where it ends or breaks, and goes on where it was: nothing is missed.

    Raises ApiUnreachable where it cannot be opened four times in a row, and ApiRefused.
    """

    def __init__(self, source: Source, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._source = source
        self._sleep = sleep

    def ingest(self, ingest_id: str, *, after: str | None = None) -> Iterator[News]:
        """Its history from the beginning, or behind `after`, until it has finished."""
        return _news(self.pulse(f"/ingests/{quote(ingest_id, safe='')}/events", after=after))

    def campaign(self, campaign_id: str, *, after: str | None = None) -> Iterator[News]:
        """What happens in a campaign, from now on or behind `after`, without end."""
        return _news(self.pulse(f"/backfills/{quote(campaign_id, safe='')}/events", after=after))

    def everything(self, *, after: str | None = None) -> Iterator[News]:
        """What happens to any ingest or campaign, from now on or behind `after`, without end."""
        return _news(self.pulse("/ingests/events", after=after))

    def pulse(self, path: str, *, after: str | None = None) -> Iterator[News | None]:
        """The news of a stream, and None about every 15 seconds where there are none."""
        failures, pause = 0, _PAUSE
        while True:
            try:
                with self._source.stream(path, after=after) as answer:
                    if answer is None:
                        return
                    for event in _events(answer.iter_lines()):
                        failures = 0
                        after, pause = event.get("id", after), _seconds(event, pause)
                        document = json.loads(event["data"]) if "data" in event else {}
                        if document.get("code") == "finished":
                            return
                        if event.get("event") in ("ingest", "campaign"):
                            yield News.model_validate(document | {"id": after})
                        elif not event:
                            yield None
            except (ApiUnreachable, httpx.TransportError) as error:
                failures += 1
                if failures == _TRIES:
                    raise ApiUnreachable(f"events cannot be listened to: {error}") from error
            self._sleep(pause)


def _news(told: Iterable[News | None]) -> Iterator[News]:
    return (one for one in told if one is not None)


def _seconds(event: dict[str, str], otherwise: float) -> float:
    retry = event.get("retry", "")
    return int(retry) / 1000 if retry.isdecimal() else otherwise


def _events(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The fields of each event; none for a comment, which says that the stream is alive."""
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            if event:
                yield event
            event = {}
        elif name:
            value = value.removeprefix(" ")
            event[name] = f"{event[name]}\n{value}" if name == "data" and name in event else value
        elif not event:
            yield {}
