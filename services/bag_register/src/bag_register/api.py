"""The HTTP API of the register: bags, their versions and locations; imports and reports are in their own files."""

from __future__ import annotations

import re

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from bag_register import (
    checks_api,
    contract,
    evidence_api,
    fixity_api,
    fixity_contract,
    imports_api,
    lists_api,
    proof_contract,
    uploads_api,
)
from bag_register.bag_document import FILES_OF_A_PAGE, MOST_FILES, Page, answered
from bag_register.digest import api as digest_api
from bag_register.documents import public_location, result_list, version_document
from bag_register.evidence_report import api as evidence_report
from bag_register.file_pages import FilePages
from bag_register.metrics import api as metrics_api
from bag_register.reports import cold, coverage, unbackfilled
from bag_register.surroundings import Surroundings
from common.domain.bag import ExternalIdentifier, Space, Version
from common.ledger.bag_lists import versions_of
from common.ledger.bags import BagRecord, find_bag
from common.ledger.engine import transaction
from common.ledger.locations import every_location
from common.web.answers import NO_SUCH_RESOURCE, Refused
from common.web.application import new_app
from common.web.auth import Permission, needs
from common.web.contract import publish
from common.web.docs_page import add_docs_page
from common.web.health import add_health

_VERSIONS = "/versions"
_VERSION = re.compile(r"v\d+")


def make_app(around: Surroundings) -> FastAPI:
    """The application; importing this module does nothing."""
    app = new_app(
        title="Backfill bag register",
        version=around.version,
        description="Which bags exist, where their verified copies lie, and what is missing.",
        guard=around.guard,
    )
    add_health(app, engine=around.engine)
    add_docs_page(app, service="bag_register")
    imports_api.add_routes(app, around)
    unbackfilled.add_routes(app, around)
    coverage.add_routes(app, around)
    cold.add_routes(app, around)
    digest_api.add_routes(app, around)
    metrics_api.add_routes(app, around)
    lists_api.add_routes(app, around)
    uploads_api.add_routes(app, around)
    evidence_api.add_routes(app, around)
    checks_api.add_routes(app, around)
    fixity_api.add_routes(app, around)
    evidence_report.add_routes(app, around)

    pages = FilePages(around.lists)

    def bags(
        request: Request,
        rest: str,
        version: str | None = None,
        before: str | None = None,
        files_after: int | None = Query(
            default=None, alias="filesAfter", ge=0, description="a page of the files: those behind so many"
        ),
        files_limit: int | None = Query(
            default=None,
            alias="filesLimit",
            ge=1,
            le=MOST_FILES,
            description="files of a page, 1000 if none is told",
        ),
        redirect: bool = Query(default=False, description="307 to a copy where the document is large"),
    ) -> Response:
        # An identifier may have slashes, encoded or not, and never ends in "/versions".
        space, _, identifier = rest.replace("+", " ").partition("/")
        if not space or not identifier:
            raise Refused(404, NO_SUCH_RESOURCE)
        if identifier.endswith(_VERSIONS):
            return _versions(around, space, identifier.removesuffix(_VERSIONS), before)
        paged = files_after is not None or files_limit is not None
        page = Page(files_after or 0, files_limit or FILES_OF_A_PAGE) if paged else None
        return answered(around, pages, request, _record(around, space, identifier, version), page, redirect=redirect)

    def locations() -> JSONResponse:
        with transaction(around.engine) as connection:
            found = every_location(connection)
        return JSONResponse(result_list([public_location(location) for location in found]))

    reading = [needs(Permission.BAGS_READ)]
    app.get(
        "/bags/{rest:path}",
        summary="A bag version's storage manifest, or the list of a bag's versions",
        dependencies=reading,
    )(bags)
    app.get("/locations", summary="Where bags can lie", dependencies=reading)(locations)
    said = contract.OPERATIONS | metrics_api.OPERATIONS | proof_contract.OPERATIONS | fixity_contract.OPERATIONS
    shapes = contract.SCHEMAS | proof_contract.SCHEMAS | fixity_contract.SCHEMAS
    publish(app, said, schemas=shapes)
    return app


def _record(around: Surroundings, space: str, identifier: str, version: str | None) -> BagRecord:
    """Raises Refused with the texts that existing clients know."""
    name = f"{space}/{identifier}"
    missing = f"Storage manifest {name}{f' {version}' if version is not None else ''} not found"
    if version is not None and not _VERSION.fullmatch(version):
        raise Refused(404, missing)
    try:
        wanted = Space(space), ExternalIdentifier(identifier), Version.parse(version) if version else None
    except ValueError:
        raise Refused(404, missing) from None
    with transaction(around.engine) as connection:
        record = find_bag(connection, space=wanted[0], external_identifier=wanted[1], version=wanted[2])
    if record is None:
        raise Refused(404, missing)
    return record


def _versions(around: Surroundings, space: str, identifier: str, before: str | None) -> JSONResponse:
    name = f"{space}/{identifier}"
    missing = f"No storage manifest versions found for {name}{f' before {before}' if before is not None else ''}"
    try:
        earlier = None if before is None else Version.parse(before)
    except ValueError as error:
        raise Refused(400, str(error)) from None
    try:
        wanted = Space(space), ExternalIdentifier(identifier)
    except ValueError:
        raise Refused(404, missing) from None
    with transaction(around.engine) as connection:
        found = versions_of(connection, space=wanted[0], external_identifier=wanted[1], before=earlier)
    if not found:
        raise Refused(404, missing)
    return JSONResponse(result_list([version_document(name, line) for line in found]))
