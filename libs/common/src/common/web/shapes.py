"""JSON Schemas of what both services answer, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
DAY: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
UUID: Schema = {"type": "string", "format": "uuid"}
DIGESTS: Schema = {"type": "object", "additionalProperties": TEXT}


def ref(name: str) -> Schema:
    """One of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def const(value: str) -> Schema:
    return {"type": "string", "const": value}


def one_of(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(values)}


def items(schema: Schema) -> Schema:
    """A list of them."""
    return {"type": "array", "items": schema}


def typed(kind: str, required: Sequence[str] = (), /, **properties: Schema) -> Schema:
    """A document with "type": kind. More properties may come with later versions."""
    return shape(["type", *required], type=const(kind), **properties)


def shape(required: Sequence[str], /, **properties: Schema) -> Schema:
    """An object of these properties, of which these are always there."""
    return {"type": "object", "required": list(required), "properties": properties}


def named(kind: str, values: Sequence[str] | None = None) -> Schema:
    """An id with its type, as {"id": "azure", "type": "Location"}."""
    return typed(kind, ["id"], id=TEXT if values is None else one_of(values))


def listing(kind: str, item: Schema, *, following: Schema = TEXT) -> Schema:
    """A page of a list; `next`, where there is more, asks for the page behind it."""
    return typed(kind, ["results"], results=items(item), next=following)


PROVIDERS = ("amazon-s3", "azure-blob-storage", "local", "memory")
ERROR: Schema = typed(
    "Error",
    ["errorType", "httpStatus", "label"],
    errorType=const("http"),
    httpStatus={"type": "integer"},
    label=TEXT,
    description=TEXT,
    code=TEXT,
)
PROBLEM: Schema = shape(
    ["type", "title", "status", "code"], type=TEXT, title=TEXT, status={"type": "integer"}, detail=TEXT, code=TEXT
)
"""RFC 9457."""
PLACE: Schema = typed(
    "Location",
    ["id", "provider", "bucket", "path"],
    id=TEXT,
    provider=named("Provider", PROVIDERS),
    bucket=TEXT,
    path=TEXT,
)
BAG: Schema = typed(
    "Bag",
    ["info"],
    info=typed("BagInfo", ["externalIdentifier", "version"], externalIdentifier=TEXT, version=TEXT),
)
