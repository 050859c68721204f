"""The HTTP API for requirements: which locations must hold which bags."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Connection

from common.domain.bag import Space
from common.domain.coverage import Amount, CopyState
from common.ledger import actions
from common.ledger.coverage.counting import matrix
from common.ledger.engine import snapshot, transaction
from common.ledger.idempotency import Kept
from common.ledger.requirements import stating
from common.ledger.requirements.stating import Healing, Requirement
from common.web.answers import Refused, instant
from common.web.auth import Permission, caller, needs
from common.web.idempotency import TAKES_KEY, answered_once, kept_document, key_of
from ingests_api.surroundings import Surroundings


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


class Named(_Part):
    """A location or a space, by its id."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["Location", "Space"] | None = None


class HealingRequest(_Part):
    """Let the audit begin campaigns by itself."""

    at_most: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = Healing().at_most
    bags_in_flight: Annotated[int, Field(strict=True, ge=1, le=100_000)] = Healing().bags_in_flight


class RequirementRequest(_Part):
    """POST /requirements."""

    type: Literal["Requirement"] = "Requirement"
    location: Named
    space: Named | None = None
    healing: HealingRequest | None = None


_EXAMPLE = {"location": {"id": "azure"}, "space": {"id": "digitised"}, "healing": {"atMost": 500}}


def add_requirements(app: FastAPI, around: Surroundings) -> None:
    """GET and POST /requirements, DELETE /requirements/{id}."""

    def every() -> JSONResponse:
        with transaction(around.engine) as connection:
            found = stating.every_requirement(connection)
        return JSONResponse({"type": "RequirementList", "results": [requirement_document(one) for one in found]})

    def state(
        request: Request, wanted: RequirementRequest, dry: bool = Query(default=False, alias="dryRun")
    ) -> Response:
        key_of(request)
        return _preview(around, wanted) if dry else _state(around, request, wanted)

    def take_back(request: Request, requirement_id: int) -> Response:
        return _take_back(around, request, requirement_id)

    operate = [needs(Permission.OPERATE)]
    app.get(
        "/requirements",
        summary="Which locations must hold which bags, and what the last audit found missing",
        dependencies=[needs(Permission.INGESTS_READ)],
    )(every)
    app.post(
        "/requirements",
        status_code=201,
        summary="Require a location for one space or for all; with healing, audits begin campaigns by themselves",
        openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}, **TAKES_KEY},
        dependencies=operate,
    )(state)
    app.delete(
        "/requirements/{requirement_id}",
        status_code=204,
        summary="Take a requirement back; campaigns that it began go on",
        dependencies=operate,
    )(take_back)


def _preview(around: Surroundings, wanted: RequirementRequest) -> JSONResponse:
    """What stating it would mean now; nothing is written."""
    _must_be_writable(around, wanted)
    location, space = wanted.location.id, _space(wanted.space)
    with snapshot(around.engine) as connection:
        known = any((one.location_id, one.space) == (location, space) for one in stating.every_requirement(connection))
        places = [place for place in matrix(connection, space=space).places if place.location == location]
    lacking = [
        amount
        for place in places
        for state, amount in place.states.items()
        if state in (CopyState.MISSING, CopyState.NOT_REQUIRED, CopyState.FAILED)
    ]
    missing = sum(lacking, Amount())
    document = {
        "type": "DryRun",
        "would": "change" if known else "create",
        "location": {"id": location, "type": "Location"},
        "space": {"id": space, "type": "Space"} if space else None,
        "missing": {"bags": missing.bags, "files": missing.files, "bytes": missing.bytes},
        "campaigns": {"bags": min(wanted.healing.at_most, missing.bags)} if wanted.healing else None,
    }
    return JSONResponse({name: value for name, value in document.items() if value is not None})


def _must_be_writable(around: Surroundings, wanted: RequirementRequest) -> None:
    choices = sorted(location.value for location in around.offer.writable)
    if wanted.location.id not in choices:
        raise Refused(
            400, f'Invalid value at .location.id: got "{wanted.location.id}", valid values are: {", ".join(choices)}.'
        )


def _state(around: Surroundings, request: Request, wanted: RequirementRequest) -> Response:
    _must_be_writable(around, wanted)
    space, actor = _space(wanted.space), caller(request).id
    body = wanted.model_dump(mode="json", by_alias=True)
    with transaction(around.engine) as connection:
        return answered_once(connection, request, body, lambda: _stated(connection, wanted, space, actor))


def _stated(connection: Connection, wanted: RequirementRequest, space: str | None, actor: str) -> Kept:
    heals = wanted.healing
    healing = Healing(heals.at_most, heals.bags_in_flight) if heals else None
    stated = stating.state(connection, location_id=wanted.location.id, space=space, healing=healing, actor=actor)
    detail = {"location": stated.location_id, "space": space, "heals": healing is not None}
    actions.record(connection, who=actor, what="requirement stated", subject=f"requirement:{stated.id}", detail=detail)
    return kept_document(201, requirement_document(stated))


def _space(wanted: Named | None) -> str | None:
    try:
        return None if wanted is None else Space(wanted.id).value
    except ValueError as error:
        raise Refused(400, f"Invalid value at .space.id: {error}") from None


def _take_back(around: Surroundings, request: Request, requirement_id: int) -> Response:
    with transaction(around.engine) as connection:
        gone = stating.take_back(connection, requirement_id) if requirement_id < 2**63 else None
        if gone is None:
            raise Refused(404, f"Requirement {requirement_id} not found")
        actions.record(
            connection,
            who=caller(request).id,
            what="requirement taken back",
            subject=f"requirement:{requirement_id}",
            detail={"location": gone.location_id, "space": gone.space},
        )
    return Response(status_code=204)


def requirement_document(requirement: Requirement) -> dict[str, Any]:
    """As the wire has it; what there is nothing to say about is left out."""
    healing, audited = requirement.healing, requirement.audited
    document: dict[str, Any] = {
        "type": "Requirement",
        "id": requirement.id,
        "location": {"id": requirement.location_id, "type": "Location"},
        "space": {"id": requirement.space, "type": "Space"} if requirement.space else None,
        "healing": {"atMost": healing.at_most, "bagsInFlight": healing.bags_in_flight} if healing else None,
        "lastAudit": {
            "date": instant(audited.at),
            "missing": {"bags": audited.missing_bags, "bytes": audited.missing_bytes},
            "failed": {"bags": audited.failed_bags},
        }
        if audited
        else None,
        "lastCampaign": str(requirement.campaign_id) if requirement.campaign_id else None,
        "createdBy": requirement.created_by,
        "createdDate": instant(requirement.created_at),
    }
    return {name: value for name, value in document.items() if value is not None}
