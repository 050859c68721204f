"""The HTTP API for lists of bags: a page at a time, or all of them as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from bag_register.documents import copies_of
from bag_register.surroundings import Surroundings
from common.domain.bag import BagVersion
from common.domain.layout import Layout
from common.ledger.bag_lists import BagLine, list_bags
from common.ledger.engine import transaction
from common.ledger.locations import find_location
from common.web.answers import Refused, instant
from common.web.auth import Permission, needs

_MOST = 1000
_COLUMNS = (
    "space", "external_identifier", "version", "created_date", "files", "bytes", "locations", "evidence", "depends_on",
)  # fmt: skip


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /bags."""

    def bags(
        space: str | None = None,
        location: str | None = None,
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
        form: Literal["json", "csv"] = Query(default="json", alias="format"),
    ) -> Response:
        behind = _cursor(after)
        _check_location(around, location)
        if form == "csv":
            rows = _csv(_everything(around, space, location, behind))
            headers = {"Content-Disposition": 'attachment; filename="bags.csv"'}
            return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
        return _page(around, space, location, behind, limit)

    app.get(
        "/bags",
        summary="Bag versions by name, of a space or a location if they are named; as CSV all of them, without pages",
        dependencies=[needs(Permission.BAGS_READ)],
    )(bags)


def _check_location(around: Surroundings, location: str | None) -> None:
    if location is None:
        return
    with transaction(around.engine) as connection:
        if find_location(connection, location) is None:
            raise Refused(400, f'Invalid value at ?location: got "{location}", must be an id of GET /locations.')


def _cursor(after: str | None) -> BagVersion | None:
    try:
        return None if after is None else Layout().bag_at(after)
    except ValueError:
        raise Refused(400, f'Invalid value at ?after: got "{after}", must be the "next" of the page before.') from None


def _page(
    around: Surroundings, space: str | None, location: str | None, after: BagVersion | None, limit: int
) -> JSONResponse:
    with transaction(around.engine) as connection:
        lines = list_bags(connection, space=space, location_id=location, after=after, limit=limit + 1)
    page = lines[:limit]
    document = {"type": "ResultList", "results": [_document(line) for line in page]}
    return JSONResponse(document | ({"next": page[-1].bag.path} if len(lines) > limit else {}))


def _document(line: BagLine) -> dict[str, Any]:
    return {
        "type": "BagVersion",
        "space": {"id": line.bag.space.value, "type": "Space"},
        "externalIdentifier": line.bag.external_identifier.value,
        "version": str(line.bag.version),
        "createdDate": instant(line.created_date),
        "files": line.files,
        "bytes": line.bytes,
        **copies_of(line),
    }


def _everything(
    around: Surroundings, space: str | None, location: str | None, after: BagVersion | None
) -> Iterator[list[BagLine]]:
    """A transaction for each page, so that a slow reader holds none."""
    while True:
        with transaction(around.engine) as connection:
            page = list_bags(connection, space=space, location_id=location, after=after, limit=_MOST)
        if not page:
            return
        yield page
        after = page[-1].bag


def _csv(pages: Iterable[list[BagLine]]) -> Iterator[str]:
    yield _text([_COLUMNS])
    for page in pages:
        yield _text(_row(line) for line in page)


def _row(line: BagLine) -> tuple[object, ...]:
    bag = line.bag
    named = (bag.space.value, bag.external_identifier.value, str(bag.version))
    facts = (instant(line.created_date), line.files, line.bytes, " ".join(line.locations), " ".join(line.evidence))
    return (*named, *facts, " ".join(f"v{number}" for number in line.depends_on))


def _text(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
