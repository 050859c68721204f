"""The HTTP API for reading copies again."""

from __future__ import annotations

import re
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from bag_register.surroundings import Surroundings
from common.domain.bag import ExternalIdentifier, Space, Version
from common.ledger import actions
from common.ledger.bags import BagRecord, find_bag
from common.ledger.engine import transaction
from common.ledger.fixity import checking
from common.ledger.fixity.checking import CheckRecord
from common.ledger.idempotency import Kept
from common.web.answers import Refused, base_url, instant
from common.web.auth import Permission, caller, needs
from common.web.bodies import json_body
from common.web.fields import Fields, Invalid
from common.web.idempotency import TAKES_KEY, answered_once, kept_document

_NUMBER = re.compile(r"[0-9]{1,18}")


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """POST /checks and GET /checks/{id}."""

    def start(request: Request, body: Any = Depends(json_body)) -> Response:
        return _start(around, request, body)

    def read(check_id: str) -> JSONResponse:
        with transaction(around.engine) as connection:
            found = checking.find_check(connection, int(check_id)) if _NUMBER.fullmatch(check_id) else None
        if found is None:
            raise Refused(404, f"Check {check_id} not found")
        return JSONResponse(check_document(found))

    app.post(
        "/checks",
        status_code=202,
        summary="Read a registered copy again, every byte of it; one that is good and was only listed is verified then",
        dependencies=[needs(Permission.OPERATE)],
        openapi_extra=TAKES_KEY,
    )(start)
    app.get(
        "/checks/{check_id}",
        summary="How far the reading of a copy is, and its verdict",
        dependencies=[needs(Permission.BAGS_READ)],
    )(read)


def _start(around: Surroundings, request: Request, body: Any) -> Response:
    with transaction(around.engine) as connection:
        answer = answered_once(connection, request, body, lambda: _begun(around, connection, request, body))
    around.wake_relay()
    return answer


def _begun(around: Surroundings, connection: Connection, request: Request, body: Any) -> Kept:
    bag, location_id = _wanted(connection, body)
    who = caller(request).id
    asked = checking.request_check(connection, bag_version_id=bag.id, location_id=location_id, asked_by=who)
    if asked is None:
        raise Refused(404, f"{bag.bag} is not registered at {location_id}: there is no copy to read.")
    check_id, new = asked
    if new:
        detail = {"bag": bag.bag.path, "location": location_id}
        actions.record(connection, who=who, what="check requested", subject=f"check:{check_id}", detail=detail)
    found = checking.find_check(connection, check_id)
    assert found is not None
    address = f"{base_url(around.public_url, request)}/checks/{check_id}"
    return kept_document(202, check_document(found), location=address)


def _wanted(connection: Connection, body: Any) -> tuple[BagRecord, str]:
    """The bag version and the location's id. Raises Refused."""
    try:
        fields = Fields(body)
        space = fields.text("space", "id") or ""
        name = fields.text("bag", "info", "externalIdentifier") or ""
        version = fields.text("bag", "info", "version", required=False)
        location_id = fields.text("location", "id") or ""
        fields.check()
        wanted = Space(space), ExternalIdentifier(name), Version.parse(version) if version else None
    except (Invalid, ValueError) as error:
        raise Refused(400, str(error)) from None
    bag = find_bag(connection, space=wanted[0], external_identifier=wanted[1], version=wanted[2])
    if bag is None:
        raise Refused(404, f"Storage manifest {space}/{name}{f' {version}' if version else ''} not found")
    return bag, location_id


def check_document(check: CheckRecord) -> dict[str, Any]:
    """As the wire has it; what there is nothing to say about is left out."""
    bag = check.bag
    document: dict[str, Any] = {
        "id": str(check.id),
        "type": "Check",
        "space": {"id": bag.space.value, "type": "Space"},
        "bag": {
            "info": {
                "externalIdentifier": bag.external_identifier.value,
                "version": str(bag.version),
                "type": "BagInfo",
            },
            "type": "Bag",
        },
        "location": {"id": check.location_id, "type": "Location"},
        "state": check.state.value,
        "verdict": check.verdict.value if check.verdict else None,
        "why": check.why or None,
        "counts": {"files": check.files, "bytes": check.bytes, "bad": check.bad, "unread": check.unread},
        "error": check.error_code,
        "lastError": check.last_error,
        "askedBy": check.asked_by,
        "createdDate": instant(check.created_at),
        "finishedDate": instant(check.finished_at) if check.finished_at else None,
    }
    return {name: value for name, value in document.items() if value is not None}
