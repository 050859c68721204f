"""News as a stream has them: the event's name, its id, and a document."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi.sse import format_sse_event

from common.ledger.feed import CampaignNews, IngestNews, News, Position
from common.web.answers import Refused, instant

RETRY = 3000
"""Milliseconds after which a client opens the stream again when it has ended."""
_POSITION = re.compile(r"(\d{1,18})\.(\d{1,18})")

GOODBYES = {
    "finished": "The ingest has finished: there is nothing more to come.",
    "listener_too_slow": "You took events more slowly than they came: open the stream again with Last-Event-ID.",
    "stream_renewal": "A stream ends after an hour, so that credentials are looked at again: open it again.",
    "stopping": "This process stops: open the stream again, another one answers.",
    "unexpected": "Something here went wrong; the service's log says what. Open the stream again.",
}
"""Why a stream ends, by code."""


def position_text(position: Position) -> str:
    return f"{position.ingests}.{position.campaigns}"


def position_of(text: str | None) -> Position | None:
    """Raises Refused for what is no id of an event."""
    if not text:
        return None
    found = _POSITION.fullmatch(text)
    if found is None:
        raise Refused(400, f'Invalid value at Last-Event-ID: got "{text[:100]}", must be the id of an event.')
    return Position(int(found[1]), int(found[2]))


def hello() -> bytes:
    """Sent at once, so that a client knows that it is heard."""
    return format_sse_event(retry=RETRY, comment="listening")


def opened(at: Position) -> bytes:
    """From here on nothing is left out; what was before can be read elsewhere."""
    return _event("open", {"type": "StreamOpened"}, id=position_text(at))


def goodbye(code: str) -> bytes:
    """The last event. It has no id: a client that comes again goes on behind the event before."""
    return _event("end", {"type": "StreamEnded", "code": code, "description": GOODBYES[code]})


def news_event(news: News, *, at: Position) -> bytes:
    """`at`: where a listener is who has heard this."""
    match news:
        case IngestNews():
            return _event("ingest", ingest_event_document(news), id=position_text(at))
        case CampaignNews():
            return _event("campaign", campaign_event_document(news), id=position_text(at))


def ingest_event_document(news: IngestNews) -> dict[str, Any]:
    """The event of the ingest's document, with what it is about beside it."""
    document = {
        "description": news.description,
        "createdDate": instant(news.created_at),
        "type": "IngestEvent",
        "detail": dict(news.detail) or None,
        "ingestId": str(news.ingest_id),
        "space": news.bag.space.value,
        "externalIdentifier": news.bag.external_identifier.value,
        "version": str(news.bag.version),
        "destination": news.destination,
        "status": {"id": news.status.value, "type": "Status"},
        "backfillId": str(news.campaign_id) if news.campaign_id else None,
    }
    return {name: value for name, value in document.items() if value is not None}


def campaign_event_document(news: CampaignNews) -> dict[str, Any]:
    document = {
        "description": news.description,
        "by": news.actor or None,
        "createdDate": instant(news.created_at),
        "type": "BackfillEvent",
        "backfillId": str(news.campaign_id),
    }
    return {name: value for name, value in document.items() if value is not None}


def _event(name: str, document: dict[str, Any], *, id: str | None = None) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(event=name, id=id, data_str=text)
