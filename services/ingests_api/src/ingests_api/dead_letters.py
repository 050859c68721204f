"""/dead-letters: what was given up, and what people decide about it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from common.ledger import actions, dead_letters, redriving
from common.ledger.dead_letters import DeadLetter
from common.ledger.engine import transaction
from common.topology import STAGES
from common.web.answers import Refused
from common.web.auth import Permission, needs
from ingests_api.documents import action_document, dead_letter_document
from ingests_api.operations import Reason, decided
from ingests_api.surroundings import Surroundings

_MOST = 1000
_LARGEST = 2**63 - 1
_STAGES = tuple(stage.name for stage in STAGES)

LetterId = Annotated[int, Path(ge=1, le=_LARGEST)]


def add_dead_letters(app: FastAPI, around: Surroundings) -> None:
    """/dead-letters and everything below it."""
    routes = Routes(around)
    read, operate = [needs(Permission.INGESTS_READ)], [needs(Permission.OPERATE)]
    app.get("/dead-letters", summary="What was given up, the newest first", dependencies=read)(routes.page)
    app.get(
        "/dead-letters/{letter_id}",
        summary="A dead letter, and what people decided about it",
        dependencies=read,
    )(routes.read)
    app.post(
        "/dead-letters/{letter_id}/redrive",
        summary="Have its work done again, by a new ingest or import",
        dependencies=operate,
    )(routes.redrive)
    app.post(
        "/dead-letters/{letter_id}/discard",
        summary="Let its work be; the dead letter is kept, closed",
        dependencies=operate,
    )(routes.discard)


class Routes:
    """One method for each route."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def page(
        self,
        stage: str | None = Query(default=None, description=f"one of {', '.join(_STAGES)}"),
        code: str | None = None,
        ingest: UUID | None = Query(default=None, description="an ingest's id"),
        only_open: bool | None = Query(
            default=None, alias="open", description="true: nobody has decided yet; false: somebody has"
        ),
        after: int | None = Query(default=None, ge=0, le=_LARGEST, description='"next" of the page before'),
        limit: int = Query(default=50, ge=1, le=_MOST),
    ) -> JSONResponse:
        if stage is not None and stage not in _STAGES:
            raise Refused(400, f'Invalid value at ?stage: got "{stage}", valid values are: {", ".join(_STAGES)}.')
        with transaction(self._around.engine) as connection:
            found = dead_letters.page(
                connection,
                before=after,
                limit=limit + 1,
                stage=stage,
                code=None if code is None else code.replace("\x00", ""),
                ingest_id=ingest,
                is_open=only_open,
            )
        shown = found[:limit]
        document: dict[str, Any] = {"type": "DeadLetterList", "results": [dead_letter_document(one) for one in shown]}
        return JSONResponse(document | ({"next": str(shown[-1].id)} if len(found) > limit else {}))

    def read(self, letter_id: LetterId) -> JSONResponse:
        with transaction(self._around.engine) as connection:
            return JSONResponse(_document(connection, _found(connection, letter_id)))

    def redrive(self, request: Request, letter_id: LetterId, given: Reason) -> JSONResponse:
        around = self._around
        with transaction(around.engine) as connection:
            answer = redriving.redrive(
                connection,
                letter_id=letter_id,
                new_id=around.new_id(),
                decision=decided(request, given),
                patience=around.patience,
            )
            document = _document(connection, _found(connection, letter_id))
        around.wake_relay()
        started = {"redrivenAsImport": str(answer.import_id)} if answer and answer.import_id else {}
        return JSONResponse(document | started)

    def discard(self, request: Request, letter_id: LetterId, given: Reason) -> JSONResponse:
        with transaction(self._around.engine) as connection:
            redriving.discard(connection, letter_id=letter_id, decision=decided(request, given))
            return JSONResponse(_document(connection, _found(connection, letter_id)))


def _found(connection: Connection, letter_id: int) -> DeadLetter:
    letter = dead_letters.find(connection, letter_id)
    if letter is None:
        raise Refused(404, f"Dead letter {letter_id} not found")
    return letter


def _document(connection: Connection, letter: DeadLetter) -> dict[str, Any]:
    done = actions.actions_on(connection, f"dead_letter:{letter.id}")
    return dead_letter_document(letter) | {"actions": [action_document(one) for one in done]}
