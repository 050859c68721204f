"""GET …/events: the histories of one ingest, of one campaign, and of all, as they are written."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import FastAPI, Header, Query
from fastapi.responses import Response
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool

from common.domain.ingest import IngestStatus
from common.ledger.engine import reading
from common.ledger.feed import Position, Topic, campaign_exists, last_words, status_of
from common.web.answers import Refused
from common.web.auth import Permission, needs
from common.web.event_streams import EventStream, before_stop
from ingests_api.evidence_api import UUID_PATTERN
from ingests_api.streaming.streams import Streams
from ingests_api.streaming.wire import position_of
from ingests_api.surroundings import Surroundings

_AFTER: Any = Query(default=None, description="id of the last event that was heard, where no header can be sent")
_LAST: Any = Header(default=None, description="id of the last event that was heard: goes on behind it")


def add_streams(app: FastAPI, around: Surroundings) -> None:
    """To be added before the route that takes any address below /ingests."""
    routes = _Routes(around)
    before_stop(app, routes.streams.stop)
    reading_ingests = [needs(Permission.INGESTS_READ)]
    for path, action, summary in (
        ("/ingests/events", routes.everything, "What happens to any ingest or campaign, as it happens"),
        ("/ingests/{ingest_id}/events", routes.ingest, "An ingest's history, as it is written, until it has finished"),
        ("/backfills/{campaign_id}/events", routes.campaign, "What happens in a campaign, as it happens"),
    ):
        app.get(path, summary=summary, dependencies=reading_ingests)(action)


class _Routes:
    def __init__(self, around: Surroundings) -> None:
        self._engine = around.engine
        self.streams = Streams(around.engine, most=around.listeners, rhythm=around.rhythm)

    async def everything(self, after: str | None = _AFTER, last_event_id: str | None = _LAST) -> Response:
        at = position_of(last_event_id or after)
        await run_in_threadpool(self._ledger_answers)
        return self._stream(Topic(), at)

    async def campaign(
        self, campaign_id: UUID, after: str | None = _AFTER, last_event_id: str | None = _LAST
    ) -> Response:
        at = position_of(last_event_id or after)
        if not await run_in_threadpool(self._has_campaign, campaign_id):
            raise Refused(404, f"Backfill {campaign_id} not found")
        return self._stream(Topic(campaign=campaign_id), at)

    async def ingest(self, ingest_id: str, after: str | None = _AFTER, last_event_id: str | None = _LAST) -> Response:
        at = position_of(last_event_id or after)
        found = UUID(ingest_id) if UUID_PATTERN.fullmatch(ingest_id) else None
        status, more = await run_in_threadpool(self._ingest, found, at)
        if found is None or status is None:
            raise Refused(404, f"Ingest {quote(ingest_id)} not found")
        if at is not None and status.terminal and not more:
            # What the standard has for "do not come again": browsers come again after every other end.
            return Response(status_code=204)
        return self._stream(Topic(ingest=found), at, finished=status.terminal)

    def _stream(self, topic: Topic, at: Position | None, *, finished: bool = False) -> Response:
        return EventStream(self.streams.open(topic, after=at, finished=finished))

    def _ledger_answers(self) -> None:
        """Raises LedgerUnavailable: better told at once than by a stream that says nothing."""
        with reading(self._engine) as connection:
            connection.execute(text("SELECT 1"))

    def _has_campaign(self, campaign_id: UUID) -> bool:
        with reading(self._engine) as connection:
            return campaign_exists(connection, campaign_id)

    def _ingest(self, ingest_id: UUID | None, at: Position | None) -> tuple[IngestStatus | None, bool]:
        """Its status, and whether there is more to say of it beyond `at`."""
        if ingest_id is None:
            return None, False
        with reading(self._engine) as connection:
            status = status_of(connection, ingest_id)
            return status, at is None or bool(last_words(connection, ingest_id=ingest_id, after=at))
