"""The HTTP API for ingests."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from common.ledger import actions
from common.ledger.bags import BagRecord, find_bag, find_versions
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.ledger.requesting import request_backfill
from common.web.answers import Refused, base_url
from common.web.application import new_app
from common.web.auth import Permission, caller, needs
from common.web.auth.signing import Signer
from common.web.bodies import json_body
from common.web.fields import Invalid
from common.web.health import add_health
from ingests_api import clients_api, tokens_api
from ingests_api.callbacks_api import add_callbacks
from ingests_api.campaigns.api import add_campaigns
from ingests_api.choosing import choose
from ingests_api.dead_letters import add_dead_letters
from ingests_api.documents import ingest_document
from ingests_api.evidence_api import add_evidence
from ingests_api.following import Following
from ingests_api.lists import add_list
from ingests_api.openapi import CREATE, READ
from ingests_api.operations import add_operations
from ingests_api.request import Wanted, parse
from ingests_api.requirements_api import add_requirements
from ingests_api.surroundings import Surroundings

_MOST_NAMED = 20


def make_app(around: Surroundings) -> FastAPI:
    """The application; importing this module does nothing."""
    app = new_app(
        title="Backfill ingests API",
        version=around.version,
        description="Asks for copies of bags, and follows them.",
        guard=around.guard,
    )
    app.add_exception_handler(Invalid, _invalid)
    add_health(app, engine=around.engine)
    tokens_api.add_routes(app, engine=around.engine, signer=Signer(around.engine, life=around.token_life))
    clients_api.add_routes(app, around.engine)

    def create(request: Request, body: Any = Depends(json_body)) -> JSONResponse:
        return _create(around, request, body)

    add_campaigns(app, around)
    add_callbacks(app, engine=around.engine)
    add_requirements(app, around)
    add_operations(app, around)
    add_dead_letters(app, around)
    add_list(app, around)
    asking = [needs(Permission.INGESTS_WRITE)]
    app.post("/ingests", **CREATE, dependencies=asking)(create)
    # The storage service takes a POST to any address below /ingests, and existing clients rely on it.
    app.post("/ingests/{rest:path}", include_in_schema=False, dependencies=asking)(create)
    add_evidence(app, around)
    reading = [needs(Permission.INGESTS_READ)]
    app.get("/ingests/{ingest_id:path}", **READ, dependencies=reading)(Following(around.engine).read)
    return app


async def _invalid(request: Request, error: Exception) -> Response:
    handler = request.app.exception_handlers[Refused]
    answer: Response = await handler(request, Refused(400, str(error)))
    return answer


def _create(around: Surroundings, request: Request, body: Any) -> JSONResponse:
    wanted = parse(body)
    _check_callback(around, wanted)
    with transaction(around.engine) as connection:
        wish = choose(wanted, bag=_bag(connection, wanted), offer=around.offer)
        answer = request_backfill(connection, wish=wish, ingest_id=around.new_id())
        if answer.created:
            actions.record(
                connection, who=caller(request).id, what="ingest requested", subject=f"ingest:{answer.ingest_id}"
            )
        ingest = find_ingest(connection, answer.ingest_id)
    assert ingest is not None
    if answer.created:
        around.wake_relay()
    address = f"{base_url(around.public_url, request)}/ingests/{ingest.id}"
    status = 201 if answer.created else 200
    return JSONResponse(ingest_document(ingest), status_code=status, headers={"Location": address})


def _check_callback(around: Surroundings, wanted: Wanted) -> None:
    if wanted.callback_url and (fault := around.callbacks.fault(wanted.callback_url)):
        raise Invalid(f'Invalid value at .callback.url: got "{wanted.callback_url}", but {fault}.')


def _bag(connection: Connection, wanted: Wanted) -> BagRecord:
    space, identifier = wanted.space, wanted.external_identifier
    if found := find_bag(connection, space=space, external_identifier=identifier, version=wanted.version):
        return found
    name = f"{space}/{identifier}"
    versions = [str(v) for v, _ in find_versions(connection, space=space, external_identifier=identifier)]
    if versions:
        listed = ", ".join(versions[:_MOST_NAMED])
        raise Refused(404, f"Bag {name} has no version {wanted.version}. Registered versions: {listed}.")
    raise Refused(
        404,
        f"Bag {name} is not registered. Check .space.id and .bag.info.externalIdentifier, "
        "or import the location that holds it: POST /imports to the bag register.",
    )
