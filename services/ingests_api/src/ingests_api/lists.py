"""GET /ingests: the ingests there are, a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from common.domain.ingest import IngestStatus
from common.ledger import listing
from common.ledger.engine import transaction
from common.ledger.listing import Wanted
from common.web.answers import Refused
from common.web.auth import Permission, needs
from ingests_api.cursors import cursor_place, cursor_text
from ingests_api.documents import summary_document
from ingests_api.surroundings import Surroundings

_MOST = 1000
_STATUSES = (*(status.value for status in IngestStatus), "stalled")


def add_list(app: FastAPI, around: Surroundings) -> None:
    """The list of ingests."""

    def page(
        bag: str | None = Query(default=None, description="external identifier"),
        space: str | None = None,
        status: str | None = Query(default=None, description=f"one of {', '.join(_STATUSES)}"),
        destination: str | None = Query(default=None, description="a location's id"),
        code: str | None = Query(default=None, description="of the error it failed with"),
        created_after: str | None = Query(default=None, alias="createdAfter"),
        created_before: str | None = Query(default=None, alias="createdBefore"),
        sort: Literal["createdDate", "-createdDate"] = "-createdDate",
        after: str | None = Query(default=None, description='"next" of the page before'),
        limit: int = Query(default=50, ge=1, le=_MOST),
    ) -> JSONResponse:
        wanted = Wanted(
            external_identifier=_text("bag", bag),
            space=_text("space", space),
            status=_status(status),
            stalled=status == "stalled",
            destination=_text("destination", destination),
            code=_text("code", code),
            created_after=_moment("createdAfter", created_after),
            created_before=_moment("createdBefore", created_before),
        )
        return _page(around, wanted, after=after, limit=limit, oldest_first=sort == "createdDate")

    app.get(
        "/ingests",
        summary="Ingests by date, without their history",
        dependencies=[needs(Permission.INGESTS_READ)],
    )(page)


def _page(around: Surroundings, wanted: Wanted, *, after: str | None, limit: int, oldest_first: bool) -> JSONResponse:
    behind = cursor_place(after)
    with transaction(around.engine) as connection:
        found = listing.page(connection, wanted, behind=behind, limit=limit + 1, oldest_first=oldest_first)
    shown = found[:limit]
    document: dict[str, Any] = {"type": "IngestList", "results": [summary_document(one) for one in shown]}
    more = {"next": cursor_text(shown[-1].place)} if len(found) > limit else {}
    return JSONResponse(document | more, headers={"Cache-Control": "no-cache"})


def _status(text: str | None) -> IngestStatus | None:
    if text is None or text == "stalled":
        return None
    if text not in _STATUSES:
        raise Refused(400, f'Invalid value at ?status: got "{text}", valid values are: {", ".join(_STATUSES)}.')
    return IngestStatus(text)


def _text(name: str, value: str | None) -> str | None:
    if value is not None and "\x00" in value:
        raise Refused(400, f"Invalid value at ?{name}: must not contain the character NUL.")
    return value


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        told = f'Invalid value at ?{name}: got "{text}", must be a date or a time such as 2026-01-31T09:00:00Z.'
        raise Refused(400, told) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
