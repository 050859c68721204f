"""The HTTP API for ingests."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from common.web.answers import Refused
from common.web.application import new_app
from common.web.auth import Permission, needs
from common.web.auth.signing import Signer
from common.web.contract import publish
from common.web.docs_page import add_docs_page
from common.web.fields import Invalid
from common.web.health import add_health
from common.web.quick_routes import PlainPost, PlainRoute
from ingests_api import clients_api, tokens_api
from ingests_api.callbacks_api import add_callbacks
from ingests_api.campaigns.api import add_campaigns
from ingests_api.contract import campaigns, ingests, operating, streams, thaws
from ingests_api.creating import Creating
from ingests_api.dead_letters import add_dead_letters
from ingests_api.evidence_api import add_evidence
from ingests_api.following import Following
from ingests_api.lists import add_list
from ingests_api.openapi import CREATE, READ
from ingests_api.operations import add_operations
from ingests_api.requirements_api import add_requirements
from ingests_api.streaming.api import add_streams
from ingests_api.surroundings import Surroundings
from ingests_api.thaws_api import add_thaws


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
    add_docs_page(app, service="ingests_api")
    tokens_api.add_routes(app, engine=around.engine, signer=Signer(around.engine, life=around.token_life))
    clients_api.add_routes(app, around.engine)

    add_campaigns(app, around)
    add_callbacks(app, engine=around.engine)
    add_requirements(app, around)
    add_operations(app, around)
    add_dead_letters(app, around)
    add_list(app, around)
    add_thaws(app, around)
    _add_creating(app, around)
    add_evidence(app, around)
    add_streams(app, around)
    reading = [needs(Permission.INGESTS_READ)]
    app.router.add_api_route(
        "/ingests/{ingest_id:path}",
        Following(around.engine).read,
        methods=["GET"],
        dependencies=reading,
        route_class_override=PlainRoute,
        **READ,
    )
    publish(
        app,
        ingests.OPERATIONS | campaigns.OPERATIONS | operating.OPERATIONS | streams.OPERATIONS | thaws.OPERATIONS,
        schemas=ingests.SCHEMAS | campaigns.SCHEMAS | operating.SCHEMAS | streams.SCHEMAS | thaws.SCHEMAS,
    )
    return app


def _add_creating(app: FastAPI, around: Surroundings) -> None:
    asked = Creating(around).asked
    plain: dict[str, Any] = {
        "methods": ["POST"],
        "dependencies": [needs(Permission.INGESTS_WRITE)],
        "route_class_override": PlainPost,
    }
    app.router.add_api_route("/ingests", asked, **plain, **CREATE)
    # The storage service takes a POST to any address below /ingests, and existing clients rely on it.
    app.router.add_api_route("/ingests/{rest:path}", asked, include_in_schema=False, **plain)


async def _invalid(request: Request, error: Exception) -> Response:
    handler = request.app.exception_handlers[Refused]
    answer: Response = await handler(request, Refused(400, str(error)))
    return answer
