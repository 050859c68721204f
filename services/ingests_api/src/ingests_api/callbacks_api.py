"""The routes about callbacks: what was sent when and what came of it, and sending it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, Engine

from common.ledger.callbacks import Attempt, CallbackRecord, find_callbacks, replay
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.web.answers import Refused, instant
from common.web.auth import Permission, needs
from ingests_api.openapi import CALLBACKS, REPLAY


def add_callbacks(app: FastAPI, *, engine: Engine) -> None:
    """To be added before the routes that take any address below /ingests."""

    def read(ingest_id: UUID) -> Response:
        with transaction(engine) as connection:
            return JSONResponse(_listed(connection, ingest_id), headers={"Cache-Control": "no-cache"})

    def again(ingest_id: UUID) -> Response:
        with transaction(engine) as connection:
            _check(connection, ingest_id)
            if not replay(connection, ingest_id=ingest_id):
                raise Refused(409, _why_not(find_callbacks(connection, ingest_id)))
            document = _listed(connection, ingest_id)
        return JSONResponse(document, status_code=202)

    app.get("/ingests/{ingest_id:uuid}/callbacks", **CALLBACKS, dependencies=[needs(Permission.INGESTS_READ)])(read)
    app.post("/ingests/{ingest_id:uuid}/callback/replay", **REPLAY, dependencies=[needs(Permission.INGESTS_WRITE)])(
        again
    )


def _check(connection: Connection, ingest_id: UUID) -> None:
    if find_ingest(connection, ingest_id) is None:
        raise Refused(404, f"Ingest {ingest_id} not found")


def _listed(connection: Connection, ingest_id: UUID) -> dict[str, Any]:
    _check(connection, ingest_id)
    return {"type": "ResultList", "results": [_document(one) for one in find_callbacks(connection, ingest_id)]}


def _why_not(found: list[CallbackRecord]) -> str:
    if not found:
        return "This ingest has no callback: read GET /ingests/{id} instead, or give .callback.url with the request."
    if all(one.state == "waiting" for one in found):
        return "The ingest has not finished: its callback is sent when it has."
    return "The callback is on its way already: GET /ingests/{id}/callbacks says when it is sent next."


def _document(one: CallbackRecord) -> dict[str, Any]:
    document = {
        "type": "Callback",
        "url": one.url,
        "messageId": str(one.message_id),
        "status": {"id": "pending" if one.state == "waiting" else one.state, "type": "Status"},
        "nextAttempt": instant(one.due_at) if one.due_at else None,
        "lastError": one.last_error,
        "lastErrorCode": one.attempts[-1].code if one.last_error and one.attempts else None,
        "attempts": [_attempt(each) for each in one.attempts],
    }
    return {name: value for name, value in document.items() if value is not None}


def _attempt(each: Attempt) -> dict[str, Any]:
    document = {
        "type": "CallbackAttempt",
        "round": each.round,
        "number": each.number,
        "startedDate": instant(each.started_at),
        "milliseconds": each.milliseconds,
        "httpStatus": each.status,
        "error": each.error,
        "code": each.code,
        "answer": each.answer or None,
    }
    return {name: value for name, value in document.items() if value is not None}
