"""POST /ingests/{id}/cancel, /fail, /retry and /speed-up: what people do to an ingest."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection

from common.errors import NotNow
from common.ledger import operating, speeding
from common.ledger.engine import transaction
from common.ledger.idempotency import Kept
from common.ledger.ingests import find_ingest
from common.ledger.operating import CANCEL, FAIL, Decision, Ending
from common.ports import Tier
from common.web.answers import Refused, base_url, error_answer
from common.web.auth import Permission, caller, needs
from common.web.idempotency import TAKES_KEY, answered_once, kept_document
from ingests_api.documents import ingest_document
from ingests_api.surroundings import Surroundings
from ingests_api.tiers import tier_fault


class Reason(BaseModel):
    """Why somebody does this: it goes into the history for good."""

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$")
    ]


class Faster(Reason):
    """A faster tier, and why."""

    tier: Tier


def decided(request: Request, given: Reason) -> Decision:
    """The caller's decision."""
    return Decision(who=caller(request).id, why=given.reason)


def add_operations(app: FastAPI, around: Surroundings) -> None:
    """What may be done to an ingest. Refusals that its state asks for are 409 with a code."""
    app.add_exception_handler(NotNow, _not_now)

    def cancel(request: Request, ingest_id: UUID, given: Reason) -> JSONResponse:
        return _end(around, ingest_id, CANCEL, decided(request, given))

    def fail(request: Request, ingest_id: UUID, given: Reason) -> JSONResponse:
        return _end(around, ingest_id, FAIL, decided(request, given))

    def retry(request: Request, ingest_id: UUID, given: Reason) -> Response:
        return _retry(around, request, ingest_id, given)

    def speed_up(request: Request, ingest_id: UUID, given: Faster) -> JSONResponse:
        return _speed_up(around, ingest_id, given.tier, decided(request, given))

    for name, action, summary, permission in (
        ("cancel", cancel, "Stop it; the answer says what it had asked for and done by then", Permission.INGESTS_WRITE),
        ("retry", retry, "Do a failed one again as a new one; what waits in one that runs goes on at once",
         Permission.INGESTS_WRITE),
        ("speed-up", speed_up, "Thaw by a faster tier from now on, also what is on its way", Permission.INGESTS_WRITE),
        ("fail", fail, "Give it up by hand, where it will not come right", Permission.OPERATE),
    ):  # fmt: skip
        app.post(
            f"/ingests/{{ingest_id:uuid}}/{name}",
            summary=summary,
            dependencies=[needs(permission)],
            openapi_extra=TAKES_KEY if name == "retry" else None,
        )(action)


async def _not_now(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotNow)
    return error_answer(409, f"{error} {error.remedy}", code=error.code)


def _end(around: Surroundings, ingest_id: UUID, ending: Ending, decision: Decision) -> JSONResponse:
    with transaction(around.engine) as connection:
        had = operating.end(connection, ingest_id=ingest_id, ending=ending, decision=decision)
        ingest = find_ingest(connection, ingest_id)
    if had is None or ingest is None:
        raise Refused(404, f"Ingest {ingest_id} not found")
    return JSONResponse(ingest_document(ingest) | {"spent": had.document() | {"type": "Spent"}})


def _speed_up(around: Surroundings, ingest_id: UUID, tier: Tier, decision: Decision) -> JSONResponse:
    with transaction(around.engine) as connection:
        done = speeding.speed_up(
            connection, ingest_id=ingest_id, tier=tier, decision=decision, patience=around.patience
        )
        ingest = find_ingest(connection, ingest_id)
        if done is None or ingest is None:
            raise Refused(404, f"Ingest {ingest_id} not found")
        archived = around.offer.frozen.get(ingest.source.id)
        if fault := tier_fault({"tier": tier}, archived=archived, location=ingest.source.id):
            raise Refused(400, fault.replace(".options.tier", ".tier"))
    around.wake_relay()
    return JSONResponse(ingest_document(ingest))


def _retry(around: Surroundings, request: Request, ingest_id: UUID, given: Reason) -> Response:
    with transaction(around.engine) as connection:
        body = given.model_dump(mode="json")
        answer = answered_once(
            connection, request, body, lambda: _retried(around, connection, request, ingest_id, given)
        )
    around.wake_relay()
    return answer


def _retried(around: Surroundings, connection: Connection, request: Request, ingest_id: UUID, given: Reason) -> Kept:
    decision = decided(request, given)
    answer = operating.retry(
        connection, ingest_id=ingest_id, new_id=around.new_id(), decision=decision, patience=around.patience
    )
    ingest = find_ingest(connection, answer.ingest_id) if answer else None
    if answer is None or ingest is None:
        raise Refused(404, f"Ingest {ingest_id} not found")
    address = f"{base_url(around.public_url, request)}/ingests/{ingest.id}"
    return kept_document(201 if answer.created else 200, ingest_document(ingest), location=address)
