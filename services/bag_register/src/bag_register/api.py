"""The HTTP API of the register: bags, their versions and locations; imports and reports are in their own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

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
from bag_register.digest import api as digest_api
from bag_register.documents import entity_tag, public_location, result_list, storage_manifest, version_document
from bag_register.evidence_report import api as evidence_report
from bag_register.metrics import api as metrics_api
from bag_register.reports import cold, coverage, unbackfilled
from bag_register.surroundings import Surroundings
from common.domain.bag import ExternalIdentifier, Space, Version
from common.ledger.bags import BagRecord, find_bag, find_versions
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

    def bags(request: Request, rest: str, version: str | None = None, before: str | None = None) -> Response:
        # An identifier may have slashes, encoded or not, and never ends in "/versions".
        space, _, identifier = rest.replace("+", " ").partition("/")
        if not space or not identifier:
            raise Refused(404, NO_SUCH_RESOURCE)
        if identifier.endswith(_VERSIONS):
            return _versions(around, space, identifier.removesuffix(_VERSIONS), before)
        return _bag(around, request, space, identifier, version)

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


def _bag(around: Surroundings, request: Request, space: str, identifier: str, version: str | None) -> Response:
    record = _record(around, space, identifier, version)
    headers = {"ETag": entity_tag(record), "Cache-Control": "no-cache"}
    if headers["ETag"] in _tags(request):
        return Response(status_code=304, headers=headers)
    blocks = _manifest_blocks(around, record)
    # The first block is made before the status is sent: a record store that is down must not look like a short bag.
    first = next(blocks)
    return StreamingResponse(chain([first], blocks), media_type="application/json", headers=headers)


def _tags(request: Request) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]


def _manifest_blocks(around: Surroundings, record: BagRecord) -> Iterator[bytes]:
    with around.lists.read(key=record.files_key, sha256=record.files_sha256) as files:
        yield from storage_manifest(record, files)


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
        found = find_versions(connection, space=wanted[0], external_identifier=wanted[1], before=earlier)
    if not found:
        raise Refused(404, missing)
    return JSONResponse(result_list([version_document(name, version, created) for version, created in found]))
