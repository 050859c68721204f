"""What the OpenAPI document says about the routes: requests are read by hand, for the sake of their wording."""

from __future__ import annotations

from typing import Any

from common.web.auth import Permission
from common.web.idempotency import TAKES_KEY

_TEXT = {"type": "string"}
_ERROR = {
    "type": "object",
    "required": ["errorType", "httpStatus", "label", "type"],
    "properties": {
        "errorType": {"const": "http"},
        "httpStatus": {"type": "integer"},
        "label": _TEXT,
        "description": _TEXT,
        "type": {"const": "Error"},
    },
}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


_PROVIDER = {"type": "string", "enum": ["amazon-s3", "azure-blob-storage"]}
_REQUEST = _object(
    ["ingestType", "space", "bag"],
    type={"const": "Ingest"},
    ingestType=_object(["id"], id={"type": "string", "enum": ["create", "update", "backfill"]}),
    space=_object(["id"], id=_TEXT),
    bag=_object(["info"], info=_object(["externalIdentifier"], externalIdentifier=_TEXT, version=_TEXT)),
    sourceLocation=_object([], id=_TEXT, provider=_object(["id"], id=_PROVIDER), bucket=_TEXT, path=_TEXT),
    destination=_object(["id"], id=_TEXT),
    destinations={"type": "array", "minItems": 1, "items": _object(["id"], id=_TEXT)},
    options=_object(
        [],
        tier={"type": "string", "enum": ["Expedited", "Standard", "Bulk"]},
        restoredDays={"type": "integer", "minimum": 1, "maximum": 365},
        priority={"type": "integer", "minimum": 0, "maximum": 100},
        deadline={"type": "string", "format": "date-time"},
        clientTag={"type": "string", "minLength": 1, "maxLength": 200},
    ),
    callback=_object(["url"], url={"type": "string", "format": "uri"}),
)
_EXAMPLE = {
    "type": "Ingest",
    "ingestType": {"id": "backfill", "type": "IngestType"},
    "space": {"id": "digitised", "type": "Space"},
    "bag": {"type": "Bag", "info": {"type": "BagInfo", "externalIdentifier": "b12345", "version": "v2"}},
    "destination": {"id": "azure", "type": "Location"},
}


def _json(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema, **more}}}


def _error(description: str) -> dict[str, Any]:
    return {"description": description, **_json(_ERROR)}


CREATE: dict[str, Any] = {
    "status_code": 201,
    "summary": "Ask for a copy of a bag version at another location",
    "openapi_extra": {
        "requestBody": {"required": True, **_json(_REQUEST, example=_EXAMPLE)},
        **TAKES_KEY,
    },
}
CALLBACK_LOG = _object(
    ["type", "results"],
    type={"const": "ResultList"},
    results={
        "type": "array",
        "items": _object(
            ["url", "messageId", "status", "attempts"],
            url=_TEXT,
            messageId=_TEXT,
            status=_object(["id"], id={"type": "string", "enum": ["pending", "succeeded", "failed"]}),
            nextAttempt={"type": "string", "format": "date-time"},
            lastError=_TEXT,
            lastErrorCode=_TEXT,
            attempts={
                "type": "array",
                "items": _object(
                    ["round", "number", "startedDate", "milliseconds"],
                    round={"type": "integer"},
                    number={"type": "integer"},
                    startedDate={"type": "string", "format": "date-time"},
                    milliseconds={"type": "integer"},
                    httpStatus={"type": "integer"},
                    error=_TEXT,
                    code=_TEXT,
                    answer=_TEXT,
                ),
            },
        ),
    },
)
CALLBACKS: dict[str, Any] = {
    "summary": "An ingest's callbacks, with every attempt to deliver them",
}
REPLAY: dict[str, Any] = {
    "status_code": 202,
    "summary": "Send an ingest's callbacks again, from the schedule's beginning",
}
READ: dict[str, Any] = {
    "summary": "An ingest with its history and progress",
}
_CLIENT_KINDS = {"type": ["string", "null"], "enum": ["client", "key", None]}
_SCOPES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "enum": [permission.value for permission in Permission]},
}
_NEW_CLIENT = _object(
    ["name", "scopes"],
    kind=_CLIENT_KINDS,
    name=_TEXT,
    scopes=_SCOPES,
    expiresInDays={"type": ["integer", "null"], "minimum": 1, "maximum": 3650},
    reason={"type": ["string", "null"]},
)
_TOKEN_FORM = _object(
    ["grant_type"], grant_type={"const": "client_credentials"}, client_id=_TEXT, client_secret=_TEXT, scope=_TEXT
)

TOKEN: dict[str, Any] = {
    "summary": "An access token for a client's id and secret (HTTP Basic or form)",
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _TOKEN_FORM}},
        }
    },
}
CLIENTS_CREATE: dict[str, Any] = {
    "status_code": 201,
    "summary": "Make an OAuth client or an API key; its secret is told this once",
    "openapi_extra": {"requestBody": {"required": True, **_json(_NEW_CLIENT)}},
}
CLIENTS_LIST: dict[str, Any] = {"summary": "Clients and keys, with their scopes and last use"}
CLIENTS_REVOKE: dict[str, Any] = {
    "summary": "Shut a client or key out, for good",
    "openapi_extra": {"requestBody": {"required": True, **_json(_object(["reason"], reason=_TEXT))}},
}
