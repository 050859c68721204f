"""The HTTP API for imports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import Connection

from bag_register.documents import import_document, thawing_document
from bag_register.previewing import preview_document
from bag_register.sources import COPIES, INVENTORY, MANIFESTS
from bag_register.surroundings import Surroundings
from common.ledger import actions, importing
from common.ledger.engine import transaction
from common.ledger.idempotency import Kept
from common.ledger.importing import ImportWish
from common.ledger.thawing import asking
from common.web.answers import Refused, base_url
from common.web.auth import Permission, caller, needs
from common.web.bodies import json_body
from common.web.fields import Fields, Invalid
from common.web.idempotency import TAKES_KEY, answered_once, kept_document, key_of

_PAGE = 100
_MANY = 1000
_NOBODY_LOOKS = {"tagFiles": None, "cost": None, "costReason": "This process may not look into stores."}
_NUMBER = re.compile(r"[0-9]{1,18}")


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """POST /imports and GET /imports/{id}."""

    def start(
        request: Request, body: Any = Depends(json_body), dry_run: bool = Query(default=False, alias="dryRun")
    ) -> Response:
        key_of(request)
        wanted = _wanted(body, around)
        if dry_run:
            return JSONResponse(_preview(around, wanted))
        with transaction(around.engine) as connection:
            answer = answered_once(connection, request, body, lambda: _begun(around, connection, request, wanted))
        around.wake_relay()
        return answer

    def read(
        import_id: str,
        after: int = Query(default=0, ge=0, lt=1 << 63),
        form: Literal["json", "csv"] = Query(default="json", alias="format"),
    ) -> Response:
        if form == "csv":
            _found(around, import_id)
            headers = {"Content-Disposition": f'attachment; filename="import-{import_id}.csv"'}
            rows = _csv(around, int(import_id), after)
            return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
        return _read(around, import_id, after)

    operating = [needs(Permission.OPERATE)]
    app.post(
        "/imports",
        status_code=202,
        summary="Adopt the bags that lie at a location",
        dependencies=operating,
        openapi_extra=TAKES_KEY,
    )(start)
    app.get(
        "/imports/{import_id}",
        summary="How far an import is, and a page of its problems; as CSV all of these",
        dependencies=operating,
    )(read)


def _begun(around: Surroundings, connection: Connection, request: Request, wanted: ImportWish) -> Kept:
    record, new = importing.request_import(connection, wanted)
    if new:
        _write_down(connection, request, record)
    address = f"{base_url(around.public_url, request)}/imports/{record.id}"
    return kept_document(202, import_document(record), location=address)


def _write_down(connection: Connection, request: Request, record: importing.ImportRecord) -> None:
    detail = {"location": record.location_id, "prefix": record.prefix, **record.source}
    what = "import requested" if record.registers else "look at an import requested"
    who, subject = caller(request).id, f"import:{record.id}"
    actions.record(connection, who=who, what=what, subject=subject, detail=detail)


def _preview(around: Surroundings, wanted: ImportWish) -> dict[str, Any]:
    with transaction(around.engine) as connection:
        running = importing.running_import(connection, wanted)
    # Without a transaction: the store may take its time.
    costs = around.previewing.costs(wanted) if around.previewing else _NOBODY_LOOKS
    return preview_document(wanted, running, costs)


def _wanted(body: Any, around: Surroundings) -> ImportWish:
    try:
        fields = Fields(body)
        location_id = fields.text("location", "id") or ""
        prefix = fields.text("prefix", required=False) or ""
        registers = fields.flag("register", default=True)
        source = _source(fields)
        fields.check()
    except Invalid as error:
        raise Refused(400, str(error)) from None
    known = sorted(location.value for location in around.importable)
    if location_id not in known:
        raise Refused(400, f'Invalid value at .location.id: got "{location_id}", valid values are: {", ".join(known)}.')
    if prefix.startswith("/"):
        raise Refused(400, "Invalid value at .prefix: must not begin with a slash; it is below the location's prefix.")
    for name, where in source.items():
        if name != COPIES and where["location"] not in known:
            told = f'Invalid value at .{name}.location.id: got "{where["location"]}"'
            raise Refused(400, f"{told}, valid values are: {', '.join(known)}.")
    return ImportWish(location_id, prefix, registers, source)


def _source(fields: Fields) -> dict[str, Any]:
    """What is read in place of the store's lists, as :class:`bag_register.sources.Source` has it."""
    found: dict[str, Any] = {}
    for name, key in ((INVENTORY, "key"), (MANIFESTS, "prefix")):
        if fields.has(name):
            place = fields.text(name, "location", "id") or ""
            found[name] = {"location": place, "key": fields.text(name, key, required=name == INVENTORY) or ""}
    if len(found) > 1:
        fields.fault("Invalid value at .: inventory and manifests exclude each other; give one.")
    if fields.flag(COPIES, default=False):
        found[COPIES] = True
    return found


def _found(around: Surroundings, import_id: str) -> importing.ImportRecord:
    record = None
    if _NUMBER.fullmatch(import_id):
        with transaction(around.engine) as connection:
            record = importing.find_import(connection, int(import_id))
    if record is None:
        raise Refused(404, f"Import {import_id} not found")
    return record


def _read(around: Surroundings, import_id: str, after: int) -> JSONResponse:
    record = _found(around, import_id)
    with transaction(around.engine) as connection:
        problems = importing.problems_of(connection, record.id, after=after, limit=_PAGE + 1)
        expected = asking.expected_of_import(connection, import_id=record.id)
        bills = asking.billed_to_import(connection, import_id=record.id)
    document = import_document(record, problems[:_PAGE], more=len(problems) > _PAGE)
    return JSONResponse(document | {"thawing": thawing_document(expected, bills, around.currency)})


def _page(around: Surroundings, import_id: int, after: int, limit: int) -> list[tuple[int, importing.ImportProblem]]:
    with transaction(around.engine) as connection:
        return importing.problems_of(connection, import_id, after=after, limit=limit)


def _csv(around: Surroundings, import_id: int, after: int) -> Iterator[str]:
    """All of them, a transaction for each page."""
    yield _text([("bag", "severity", "code", "message")])
    while page := _page(around, import_id, after, _MANY):
        yield _text((p.bag_path, p.severity, p.code, p.message) for _, p in page)
        after = page[-1][0]


def _text(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
