"""What the OpenAPI document says about the routes: requests are read by hand, for the sake of their wording."""

from __future__ import annotations

from typing import Any

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
    options=_object(
        [],
        tier={"type": "string", "enum": ["Expedited", "Standard", "Bulk"]},
        restoredDays={"type": "integer", "minimum": 1, "maximum": 365},
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
    "openapi_extra": {"requestBody": {"required": True, **_json(_REQUEST, example=_EXAMPLE)}},
    "responses": {
        200: {"description": "The same backfill runs already: this is it"},
        201: {"description": "Accepted; Location is the ingest's address"},
        400: _error("The request cannot be understood; the description says where and why"),
        404: _error("The register has no such bag, or no such version of it"),
        415: _error("The request is not application/json"),
    },
}
READ: dict[str, Any] = {
    "summary": "An ingest with its history and progress",
    "responses": {200: {"description": "The ingest"}, 404: _error("There is no such ingest")},
}
