"""The HTTP API for fixity over time: policies, and how the copies under them stand."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Connection

from bag_register.surroundings import Surroundings
from common.domain.bag import Space
from common.ledger import actions
from common.ledger.engine import transaction
from common.ledger.fixity import policies, reporting
from common.ledger.fixity.policies import Policy
from common.ledger.fixity.reporting import CopyStanding, Standing, Totals
from common.ledger.idempotency import Kept
from common.ledger.locations import find_location
from common.web.answers import Refused, instant
from common.web.auth import Permission, caller, needs
from common.web.idempotency import TAKES_KEY, answered_once, kept_document

_MOST = 1000
_CURSOR = re.compile(r"([0-9]{1,18})@([A-Za-z0-9_-]+)")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


class Named(_Part):
    """A location or a space, by its id."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["Location", "Space"] | None = None


class PolicyRequest(_Part):
    """POST /fixity/policies."""

    type: Literal["FixityPolicy"] = "FixityPolicy"
    location: Named
    space: Named | None = None
    every_days: Annotated[int, Field(strict=True, ge=1, le=36_500)]
    at_once: Annotated[int, Field(strict=True, ge=1, le=1000)] = 10
    bytes_per_second: Annotated[int, Field(strict=True, ge=1, lt=1 << 50)] | None = None


_EXAMPLE = {"location": {"id": "azure"}, "everyDays": 90, "atOnce": 10, "bytesPerSecond": 50_000_000}


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET and POST /fixity/policies, DELETE /fixity/policies/{id}, GET /reports/fixity and /reports/fixity/copies."""

    def every() -> JSONResponse:
        with transaction(around.engine) as connection:
            found = policies.every_policy(connection)
        return JSONResponse({"type": "FixityPolicyList", "results": [policy_document(one) for one in found]})

    def state(request: Request, wanted: PolicyRequest) -> Response:
        return _state(around, request, wanted)

    def take_back(request: Request, policy_id: int) -> Response:
        return _take_back(around, request, policy_id)

    def report() -> JSONResponse:
        with transaction(around.engine) as connection:
            found, health = reporting.totals(connection), reporting.health(connection)
        results = [policy_document(policy) | {"copies": totals_document(totals)} for policy, totals in found]
        locations = [
            {"location": {"id": name, "type": "Location"}, **counts} for name, counts in sorted(health.items())
        ]
        return JSONResponse({"type": "FixityReport", "results": results, "checked": locations})

    def copies(
        standing: Standing = Standing.OVERDUE,
        location: str | None = None,
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
    ) -> JSONResponse:
        return _copies(around, standing, location, after, limit)

    reading, operating = [needs(Permission.BAGS_READ)], [needs(Permission.OPERATE)]
    app.get("/fixity/policies", summary="How often which copies are read again", dependencies=reading)(every)
    app.post(
        "/fixity/policies",
        status_code=201,
        summary="Have the copies at a location read again, every so many days; stating it again changes it",
        openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}, **TAKES_KEY},
        dependencies=operating,
    )(state)
    app.delete(
        "/fixity/policies/{policy_id}",
        status_code=204,
        summary="Take a policy back; checks that run go on",
        dependencies=operating,
    )(take_back)
    app.get(
        "/reports/fixity",
        summary="What is due and overdue by policy, and what the last checks found",
        dependencies=reading,
    )(report)
    app.get(
        "/reports/fixity/copies",
        summary="Registered copies that are overdue, due, bad, or were not read; or all",
        dependencies=reading,
    )(copies)


def _state(around: Surroundings, request: Request, wanted: PolicyRequest) -> Response:
    space, actor = _space(wanted.space), caller(request).id
    body = wanted.model_dump(mode="json", by_alias=True)
    with transaction(around.engine) as connection:
        return answered_once(connection, request, body, lambda: _stated(connection, wanted, space, actor))


def _stated(connection: Connection, wanted: PolicyRequest, space: str | None, actor: str) -> Kept:
    if find_location(connection, wanted.location.id) is None:
        raise Refused(400, f'Invalid value at .location.id: got "{wanted.location.id}", which nobody configured.')
    stated = policies.state(
        connection,
        location_id=wanted.location.id,
        space=space,
        every_days=wanted.every_days,
        at_once=wanted.at_once,
        bytes_per_second=wanted.bytes_per_second,
        actor=actor,
    )
    detail = {"location": stated.location_id, "space": space, "everyDays": stated.every_days}
    subject = f"fixity_policy:{stated.id}"
    actions.record(connection, who=actor, what="fixity policy stated", subject=subject, detail=detail)
    return kept_document(201, policy_document(stated))


def _space(wanted: Named | None) -> str | None:
    try:
        return None if wanted is None else Space(wanted.id).value
    except ValueError as error:
        raise Refused(400, f"Invalid value at .space.id: {error}") from None


def _take_back(around: Surroundings, request: Request, policy_id: int) -> Response:
    with transaction(around.engine) as connection:
        gone = policies.take_back(connection, policy_id) if 0 <= policy_id < 2**63 else None
        if gone is None:
            raise Refused(404, f"Fixity policy {policy_id} not found")
        detail = {"location": gone.location_id, "space": gone.space}
        subject = f"fixity_policy:{policy_id}"
        actions.record(
            connection, who=caller(request).id, what="fixity policy taken back", subject=subject, detail=detail
        )
    return Response(status_code=204)


def _copies(
    around: Surroundings, standing: Standing, location: str | None, after: str | None, limit: int
) -> JSONResponse:
    cursor = _CURSOR.fullmatch(after) if after is not None else None
    if after is not None and cursor is None:
        raise Refused(400, f'Invalid value at ?after: got "{after}", must be the "next" of the page before.')
    behind = (int(cursor[1]), cursor[2]) if cursor else None
    with transaction(around.engine) as connection:
        found = reporting.copies(connection, standing=standing, location_id=location, after=behind, limit=limit + 1)
    document: dict[str, Any] = {
        "type": "FixityCopies",
        "results": [copy_document(copy) for _, copy in found[:limit]],
    }
    if len(found) > limit:
        number, last = found[limit - 1]
        document["next"] = f"{number}@{last.location_id}"
    return JSONResponse(document)


def policy_document(policy: Policy) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "FixityPolicy",
        "id": policy.id,
        "location": {"id": policy.location_id, "type": "Location"},
        "space": {"id": policy.space, "type": "Space"} if policy.space else None,
        "everyDays": policy.every_days,
        "atOnce": policy.at_once,
        "bytesPerSecond": policy.bytes_per_second,
        "createdBy": policy.created_by,
        "createdDate": instant(policy.created_at),
    }
    return {name: value for name, value in document.items() if value is not None}


def totals_document(totals: Totals) -> dict[str, Any]:
    counts = {"all": totals.copies, "due": totals.due, "overdue": totals.overdue, "running": totals.running}
    return counts | ({"oldestDueDate": instant(totals.oldest_due)} if totals.oldest_due else {})


def copy_document(copy: CopyStanding) -> dict[str, Any]:
    bag = copy.bag
    document: dict[str, Any] = {
        "type": "FixityCopy",
        "space": {"id": bag.space.value, "type": "Space"},
        "externalIdentifier": bag.external_identifier.value,
        "version": str(bag.version),
        "location": {"id": copy.location_id, "type": "Location"},
        "evidenceClass": copy.evidence_class,
        "verdict": copy.verdict.value if copy.verdict else None,
        "readDate": instant(copy.read_at) if copy.read_at else None,
        "checkedDate": instant(copy.checked_at) if copy.checked_at else None,
        "checkedEvidenceClass": copy.checked_class.value if copy.checked_class else None,
        "check": str(copy.check_id) if copy.check_id is not None else None,
        "dueDate": instant(copy.due_at) if copy.due_at else None,
        "overdue": copy.overdue,
    }
    return {name: value for name, value in document.items() if value is not None}
