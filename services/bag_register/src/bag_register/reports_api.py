"""The HTTP API for reports: what is not backfilled yet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from bag_register.documents import totals_document, unbackfilled_document
from bag_register.surroundings import Surroundings
from common.domain.bag import BagVersion
from common.domain.layout import Layout
from common.ledger import reports
from common.ledger.engine import transaction
from common.ledger.locations import every_location
from common.ledger.reports import Unbackfilled
from common.web.answers import Refused
from common.web.auth import Permission, needs

_MOST = 1000
_COLUMNS = ("space", "external_identifier", "version", "state", "stage", "code", "ingest_id", "files", "bytes")


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/unbackfilled."""

    def unbackfilled(
        location: str | None = None,
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
        form: Literal["json", "csv"] = Query(default="json", alias="format"),
    ) -> Response:
        location_id, behind = _location(around, location), _cursor(after)
        if form == "csv":
            headers = {"Content-Disposition": f'attachment; filename="unbackfilled-{location_id}.csv"'}
            rows = _csv(_everything(around, location_id, behind))
            return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
        return _page(around, location_id, behind, limit)

    app.get(
        "/reports/unbackfilled",
        summary="Bag versions that are not registered at a location; as CSV all of them, without pages",
        dependencies=[needs(Permission.BAGS_READ)],
    )(unbackfilled)


def _location(around: Surroundings, wanted: str | None) -> str:
    if wanted is None:
        raise Refused(400, "Invalid value at ?location: Missing required field")
    with transaction(around.engine) as connection:
        known = [location.id.value for location in every_location(connection)]
    if wanted not in known:
        listed = ", ".join(known)
        raise Refused(400, f'Invalid value at ?location: got "{wanted}", valid values are: {listed}.')
    return wanted


def _cursor(after: str | None) -> BagVersion | None:
    try:
        return None if after is None else Layout().bag_at(after)
    except ValueError:
        raise Refused(400, f'Invalid value at ?after: got "{after}", must be the "next" of the page before.') from None


def _page(around: Surroundings, location_id: str, after: BagVersion | None, limit: int) -> JSONResponse:
    with transaction(around.engine) as connection:
        totals = reports.totals(connection, location_id=location_id)
        lines = reports.unbackfilled(connection, location_id=location_id, after=after, limit=limit + 1)
    page = lines[:limit]
    document = {
        "type": "UnbackfilledReport",
        "location": {"id": location_id, "type": "Location"},
        "totals": totals_document(totals),
        "results": [unbackfilled_document(line) for line in page],
    }
    return JSONResponse(document | ({"next": page[-1].bag.path} if len(lines) > limit else {}))


def _everything(around: Surroundings, location_id: str, after: BagVersion | None) -> Iterator[list[Unbackfilled]]:
    """A transaction for each page, so that a slow reader holds none."""
    while True:
        with transaction(around.engine) as connection:
            page = reports.unbackfilled(connection, location_id=location_id, after=after, limit=_MOST)
        if not page:
            return
        yield page
        after = page[-1].bag


def _csv(pages: Iterable[list[Unbackfilled]]) -> Iterator[str]:
    yield _text([_COLUMNS])
    for page in pages:
        yield _text(_row(line) for line in page)


def _row(line: Unbackfilled) -> tuple[object, ...]:
    bag = line.bag
    named = (bag.space.value, bag.external_identifier.value, str(bag.version))
    return (*named, line.state, line.stage, line.code, line.ingest_id, line.files, line.bytes)


def _text(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
