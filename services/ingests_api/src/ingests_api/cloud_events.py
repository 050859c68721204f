"""News as CloudEvents on two queues of the broker, so that whoever follows deposits is not flooded by backfills."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from common.domain.bag import BagVersion
from common.domain.ingest import IngestType
from common.ledger import news
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.ledger.news import Announcement
from common.topology import Lane
from common.web.answers import instant

EVENT_QUEUES = {Lane.DAILY: "events_daily", Lane.BACKFILL: "events_backfill"}
_BATCH, _FORGOTTEN = 200, 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says beyond its envelope."""

    subject: str
    lane: Lane
    data: dict[str, Any]


def pass_on(engine: Engine, *, source: str | None) -> int:
    """Hand all news to the relay, or forget them where `source` is None: nobody listens. Returns how many."""
    number = 0
    while True:
        with transaction(engine) as connection:
            found = news.forget(connection, at_most=_FORGOTTEN) if source is None else _hand_over(connection, source)
        if not found:
            return number
        number += found


def _hand_over(connection: Connection, source: str) -> int:
    found = news.take(connection, at_most=_BATCH)
    for one in found:
        told = _told(connection, one)
        event = envelope(one, told, source=source)
        news.post(connection, event_id=one.event_id, queue=EVENT_QUEUES[told.lane], body=event)
    return len(found)


def envelope(one: Announcement, told: Told, *, source: str) -> str:
    """A CloudEvent 1.0 in the JSON format; `lane` is an extension attribute."""
    document = {
        "specversion": "1.0",
        "id": str(one.event_id),
        "source": source,
        "type": f"backfill.{one.type}",
        "subject": told.subject,
        "time": instant(one.created_at),
        "datacontenttype": "application/json",
        "lane": told.lane.value,
        "data": told.data,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _told(connection: Connection, one: Announcement) -> Told:
    match one.type:
        case "ingest.finished":
            return _ingest(connection, UUID(one.subject))
        case "bag.registered":
            return _bag(connection, one)
        case "copy.bad" | "copy.recovered":
            return _copy(connection, one)
        case "check.failed":
            return Told(one.subject, Lane.DAILY, {"checkId": one.subject, **one.detail})
    return Told(one.subject, Lane.BACKFILL, {"campaignId": one.subject, **one.detail})


def _ingest(connection: Connection, ingest_id: UUID) -> Told:
    ingest = find_ingest(connection, ingest_id)
    assert ingest is not None
    data = {
        "ingestId": str(ingest.id),
        "ingestType": ingest.type.value,
        "status": ingest.status.value,
        **_names(ingest.bag),
        "destination": ingest.destination.id.value,
    }
    failed = {"error": ingest.error_code} if ingest.error_code else {}
    return Told(str(ingest.id), _lane(ingest.type), data | failed)


def _bag(connection: Connection, one: Announcement) -> Told:
    bag = news.bag_of(connection, int(one.subject))
    made_by = one.detail.get("ingest")
    data = {**_names(bag), "location": one.detail["location"], "role": one.detail["role"]}
    lane = Lane.DAILY if one.detail["role"] == "primary" else Lane.BACKFILL
    return Told(bag.path, lane, data | ({"ingestId": made_by} if made_by else {}))


def _copy(connection: Connection, one: Announcement) -> Told:
    """Among the daily ones: an alert must not queue up behind a campaign."""
    bag = news.bag_of(connection, int(one.subject))
    data = {"location": one.detail["location"], "checkId": str(one.detail["check"]), "files": one.detail["files"]}
    bad = {"badFiles": one.detail["bad"], "why": one.detail["why"]} if one.type == "copy.bad" else {}
    return Told(bag.path, Lane.DAILY, {**_names(bag), **data, **bad})


def _names(bag: BagVersion) -> dict[str, str]:
    return {
        "space": bag.space.value,
        "externalIdentifier": bag.external_identifier.value,
        "version": str(bag.version),
    }


def _lane(ingest_type: IngestType) -> Lane:
    return Lane.BACKFILL if ingest_type is IngestType.BACKFILL else Lane.DAILY
