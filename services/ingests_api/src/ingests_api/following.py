"""GET /ingests/{id}: one ingest, with an ETag, and for those who ask only once it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Header, Query
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Engine

from common.ledger.engine import reading
from common.ledger.ingests import IngestRecord, find_ingests, marks
from common.ledger.thawing.watching import Frozen, frozen
from common.web.answers import Refused
from common.web.application import not_allowed
from ingests_api.changes import Changes
from ingests_api.documents import ingest_document
from ingests_api.evidence_api import UUID_PATTERN
from ingests_api.gathering import Gathered

LONGEST = 30
"""Seconds that a request may wait; proxies and the local gateway close quiet ones after 60."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An ingest as it was at one moment."""

    body: bytes
    etag: str
    mark: int
    finished: bool


class Following:
    """Answers for one ingest."""

    def __init__(self, engine: Engine, *, look_every: float = 0.5) -> None:
        self._engine = engine
        self._changes = Changes(self._marks, every=look_every)
        self._gathered = Gathered(self._look)

    async def read(
        self,
        ingest_id: str,
        wait: Annotated[
            int, Query(ge=0, le=LONGEST, description="answer when its history has grown, after so many seconds at most")
        ] = 0,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        if not UUID_PATTERN.fullmatch(ingest_id):
            # What the storage service says for anything that is no id, and clients probe for.
            return not_allowed("POST")
        found = await self._found(UUID(ingest_id))
        news = if_none_match is not None and not _matches(if_none_match, found.etag)
        if wait and not found.finished and not news:
            await self._changes.wait(UUID(ingest_id), seen=found.mark, seconds=wait)
            found = await self._found(UUID(ingest_id))
        headers = {"ETag": found.etag, "Cache-Control": "no-cache"}
        if if_none_match is not None and _matches(if_none_match, found.etag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type="application/json", headers=headers)

    async def _found(self, ingest_id: UUID) -> _Seen:
        found = await self._gathered.find(ingest_id)
        if found is None:
            raise Refused(404, f"Ingest {quote(str(ingest_id))} not found")
        return found

    def _look(self, ingest_ids: Sequence[UUID]) -> dict[UUID, _Seen]:
        with reading(self._engine) as connection:
            found = find_ingests(connection, ingest_ids)
            open_ = [one for one, ingest in found.items() if not ingest.status.terminal]
            waits = frozen(connection, open_) if open_ else {}
        return {one: _seen(ingest, waits.get(one)) for one, ingest in found.items()}

    def _marks(self, ingest_ids: Iterable[UUID]) -> Mapping[UUID, int]:
        with reading(self._engine) as connection:
            return marks(connection, ingest_ids)


def _seen(ingest: IngestRecord, waits: Frozen | None) -> _Seen:
    body = bytes(JSONResponse(ingest_document(ingest, frozen=waits)).body)
    return _Seen(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', ingest.mark, ingest.status.terminal)


def _matches(given: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: a list, compared weakly."""
    return given.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in given.split(",")}
