"""Of requirements, dead letters, clients and tokens."""

from __future__ import annotations

from typing import Any

from common.web.auth import Permission
from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, UUID, items, listing, named, one_of, ref, shape, typed

_DATE = "2026-01-31T09:00:00.000000Z"
_SCOPES = [permission.value for permission in Permission]
_BAGS = shape(["bags"], bags=COUNT, bytes=COUNT)
_CLIENT: dict[str, Any] = {
    "id": TEXT,
    "kind": one_of(["client", "key"]),
    "name": TEXT,
    "scopes": items(one_of(_SCOPES)),
    "createdBy": TEXT,
    "createdDate": MOMENT,
    "expiresDate": MOMENT,
    "revokedDate": MOMENT,
    "lastUsedDate": MOMENT,
}
_LETTER: dict[str, Any] = {
    "id": TEXT,
    "stage": TEXT,
    "queue": TEXT,
    "code": TEXT,
    "reason": TEXT,
    "attempts": COUNT,
    "ingestId": UUID,
    "importId": TEXT,
    "body": TEXT,
    "status": named("Status", ["open", "redriven", "discarded"]),
    "redrivenAs": UUID,
    "createdDate": MOMENT,
    "resolvedDate": MOMENT,
}
_LETTER_ALWAYS = ["id", "queue", "code", "reason", "body", "status", "createdDate"]
_ACTION = typed(
    "Action",
    ["description", "actor", "reason", "createdDate"],
    description=TEXT,
    actor=TEXT,
    reason=TEXT,
    createdDate=MOMENT,
)
SCHEMAS = {
    "Client": typed("Client", ["id", "kind", "name", "scopes"], **_CLIENT),
    "NewClient": typed("Client", ["id", "kind", "name", "scopes", "secret"], **_CLIENT, secret=TEXT),
    "Requirement": typed(
        "Requirement",
        ["id", "location", "createdDate"],
        id=COUNT,
        location=named("Location"),
        space=named("Space"),
        healing=shape(["atMost", "bagsInFlight"], atMost=COUNT, bagsInFlight=COUNT),
        lastAudit=shape(["date", "missing", "failed"], date=MOMENT, missing=_BAGS, failed=_BAGS),
        lastCampaign=UUID,
        createdBy=TEXT,
        createdDate=MOMENT,
    ),
    "DeadLetterLine": typed("DeadLetter", _LETTER_ALWAYS, **_LETTER),
    "DeadLetter": typed(
        "DeadLetter", [*_LETTER_ALWAYS, "actions"], **_LETTER, actions=items(_ACTION), redrivenAsImport=TEXT
    ),
    "Token": shape(
        ["access_token", "expires_in", "token_type", "scope"],
        access_token=TEXT,
        expires_in=COUNT,
        token_type={"const": "Bearer"},
        scope=TEXT,
    ),
}
_CLIENT_EXAMPLE = {
    "id": "bf-3k2m",
    "type": "Client",
    "kind": "client",
    "name": "workflow",
    "scopes": ["ingests:read", "ingests:write"],
    "createdBy": "everyone",
    "createdDate": _DATE,
}
_REQUIREMENT = {
    "type": "Requirement",
    "id": 7,
    "location": {"id": "azure", "type": "Location"},
    "space": {"id": "digitised", "type": "Space"},
    "healing": {"atMost": 500, "bagsInFlight": 20},
    "createdBy": "everyone",
    "createdDate": _DATE,
}
_LETTER_EXAMPLE: dict[str, Any] = {
    "id": "12",
    "type": "DeadLetter",
    "stage": "copying",
    "queue": "backfill_replicator_copying_backfill",
    "code": "too_many_attempts",
    "reason": "the destination did not answer",
    "attempts": 5,
    "body": '{"segment_id":7,"type":"SegmentThawed"}',
    "status": {"id": "open", "type": "Status"},
    "createdDate": _DATE,
}
_WITH_ACTIONS = _LETTER_EXAMPLE | {"actions": []}
_404 = Answer("There is no such dead letter")
_409 = Answer("Somebody has decided already, or there is no work behind it; `code` says which")
_LETTER_ID = {"letter_id": 12}
_REASON = {"reason": "The destination is well again"}
_DECIDED = Said(
    {200: Answer("The dead letter", ref("DeadLetter"), _WITH_ACTIONS), 404: _404, 409: _409}, _LETTER_ID, _REASON
)

_DRY_RUN = typed(
    "DryRun",
    ["would", "location", "missing"],
    would=one_of(["create", "change"]),
    location=named("Location"),
    space=named("Space"),
    missing=shape(["bags", "files", "bytes"], bags=COUNT, files=COUNT, bytes=COUNT),
    campaigns=shape(["bags"], bags=COUNT),
)
_DRY_RUN_EXAMPLE = {
    "type": "DryRun",
    "would": "create",
    "location": {"id": "azure", "type": "Location"},
    "missing": {"bags": 41870, "files": 12561004, "bytes": 9600000000000},
    "campaigns": {"bags": 500},
}
OPERATIONS = {
    "POST /oauth2/token": Said(
        {
            200: Answer(
                "The token, how long it is good for, and its scopes",
                ref("Token"),
                {"access_token": "eyJhbGciOi…", "expires_in": 3600, "token_type": "Bearer", "scope": "ingests:read"},
            ),
            400: Answer("`error` says what is wrong, as in RFC 6749"),
            401: Answer("There is no such client, or its secret is another"),
        },
        request={"grant_type": "client_credentials", "client_id": "bf-3k2m", "client_secret": "…"},
    ),
    "POST /clients": Said(
        {
            201: Answer(
                "The client with its secret, which is told this once",
                ref("NewClient"),
                _CLIENT_EXAMPLE | {"secret": "…"},
            )
        },
        request={"kind": "client", "name": "workflow", "scopes": ["ingests:read", "ingests:write"]},
    ),
    "GET /clients": Said(
        {
            200: Answer(
                "All of them",
                listing("ResultList", ref("Client")),
                {"type": "ResultList", "results": [_CLIENT_EXAMPLE]},
            )
        }
    ),
    "POST /clients/{client_id}/revoke": Said(
        {
            200: Answer("The client", ref("Client"), _CLIENT_EXAMPLE | {"revokedDate": _DATE}),
            404: Answer("There is no such client"),
        },
        {"client_id": "bf-3k2m"},
        {"reason": "Its secret was seen in a log"},
    ),
    "GET /requirements": Said(
        {
            200: Answer(
                "All of them",
                listing("RequirementList", ref("Requirement")),
                {"type": "RequirementList", "results": [_REQUIREMENT]},
            )
        }
    ),
    "POST /requirements": Said(
        {
            200: Answer("What a dry run has to tell", _DRY_RUN, _DRY_RUN_EXAMPLE),
            201: Answer("The requirement", ref("Requirement"), _REQUIREMENT),
        },
        {"dryRun": False},
    ),
    "DELETE /requirements/{requirement_id}": Said(
        {204: Answer("It is gone"), 404: Answer("There is no such requirement")}, {"requirement_id": 7}
    ),
    "GET /dead-letters": Said(
        {
            200: Answer(
                "A page",
                listing("DeadLetterList", ref("DeadLetterLine")),
                {"type": "DeadLetterList", "results": [_LETTER_EXAMPLE]},
            )
        },
        {"stage": "copying", "open": True, "limit": 50},
    ),
    "GET /dead-letters/{letter_id}": Said(
        {200: Answer("The dead letter", ref("DeadLetter"), _WITH_ACTIONS), 404: _404}, _LETTER_ID
    ),
    "POST /dead-letters/{letter_id}/redrive": _DECIDED,
    "POST /dead-letters/{letter_id}/discard": _DECIDED,
}
