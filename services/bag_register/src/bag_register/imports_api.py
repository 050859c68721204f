"""The HTTP API for imports."""

from __future__ import annotations

import re
from typing import Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from bag_register.documents import import_document
from bag_register.surroundings import Surroundings
from common.ledger import actions, importing
from common.ledger.engine import transaction
from common.web.answers import Refused, base_url
from common.web.auth import Permission, caller, needs
from common.web.bodies import json_body
from common.web.fields import Fields, Invalid

_PAGE = 100
_NUMBER = re.compile(r"[0-9]{1,18}")


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """POST /imports and GET /imports/{id}."""

    def start(
        request: Request, body: Any = Depends(json_body), dry_run: bool = Query(default=False, alias="dryRun")
    ) -> JSONResponse:
        location_id, prefix = _wanted(body, around)
        with transaction(around.engine) as connection:
            if dry_run:
                return JSONResponse(_preview(connection, location_id, prefix))
            record, new = importing.request_import(connection, location_id=location_id, prefix=prefix)
            if new:
                _write_down(connection, request, record)
        around.wake_relay()
        address = f"{base_url(around.public_url, request)}/imports/{record.id}"
        return JSONResponse(import_document(record), status_code=202, headers={"Location": address})

    def read(import_id: str, after: int = Query(default=0, ge=0, lt=1 << 63)) -> JSONResponse:
        return _read(around, import_id, after)

    operating = [needs(Permission.OPERATE)]
    app.post("/imports", status_code=202, summary="Adopt the bags that lie at a location", dependencies=operating)(
        start
    )
    app.get("/imports/{import_id}", summary="How far an import is, and a page of its problems", dependencies=operating)(
        read
    )


def _write_down(connection: Connection, request: Request, record: importing.ImportRecord) -> None:
    detail = {"location": record.location_id, "prefix": record.prefix}
    who, subject = caller(request).id, f"import:{record.id}"
    actions.record(connection, who=who, what="import requested", subject=subject, detail=detail)


def _preview(connection: Connection, location_id: str, prefix: str) -> dict[str, Any]:
    running = importing.running_import(connection, location_id=location_id, prefix=prefix)
    return {
        "type": "DryRun",
        "would": "create" if running is None else "join",
        **({"import": str(running)} if running is not None else {}),
        "location": {"id": location_id, "type": "Location"},
        "prefix": prefix,
        "objects": None,
        "bytes": None,
        "reason": "What lies there is known when it has been walked. An import writes nothing to the location.",
        "cost": None,
        "costReason": "No prices are known to this deployment, and none are guessed.",
    }


def _wanted(body: Any, around: Surroundings) -> tuple[str, str]:
    try:
        fields = Fields(body)
        location_id = fields.text("location", "id") or ""
        prefix = fields.text("prefix", required=False) or ""
        fields.check()
    except Invalid as error:
        raise Refused(400, str(error)) from None
    known = sorted(location.value for location in around.importable)
    if location_id not in known:
        raise Refused(400, f'Invalid value at .location.id: got "{location_id}", valid values are: {", ".join(known)}.')
    if prefix.startswith("/"):
        raise Refused(400, "Invalid value at .prefix: must not begin with a slash; it is below the location's prefix.")
    return location_id, prefix


def _read(around: Surroundings, import_id: str, after: int) -> JSONResponse:
    if not _NUMBER.fullmatch(import_id):
        raise Refused(404, f"Import {import_id} not found")
    with transaction(around.engine) as connection:
        record = importing.find_import(connection, int(import_id))
        problems = importing.problems_of(connection, int(import_id), after=after, limit=_PAGE + 1)
    if record is None:
        raise Refused(404, f"Import {import_id} not found")
    return JSONResponse(import_document(record, problems[:_PAGE], more=len(problems) > _PAGE))
