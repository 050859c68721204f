"""What the OpenAPI document says of imports: answers, shapes and examples."""

from __future__ import annotations

from typing import Any

from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, items, named, one_of, ref, shape, typed
from common.web.thaw_costs import BILLED_EXAMPLE, COST_OR_NONE
from common.web.thaw_costs import SCHEMAS as COSTS

_COLD = {"id": "cold", "type": "Location"}
_DATE = "2026-01-31T09:00:00.000000Z"
_PROBLEM = typed(
    "ImportProblem", ["bag", "code", "severity", "message"], bag=TEXT, code=TEXT, severity=TEXT, message=TEXT
)
_UNKNOWN: dict[str, Any] = {"type": ["integer", "null"]}
_AMOUNT = shape(["objects", "bytes"], objects=COUNT, bytes=COUNT)
_FROZEN = typed(
    "FrozenTagFiles",
    ["lookedAt", "estimated", "objects", "bytes", "classes", "said"],
    lookedAt=shape(["bags", "complete"], bags=COUNT, complete={"type": "boolean"}),
    estimated={"type": "boolean"},
    objects=COUNT,
    bytes=COUNT,
    classes={"type": "object", "additionalProperties": _AMOUNT},
    said=TEXT,
)
SCHEMAS: dict[str, Any] = COSTS | {
    "Import": typed(
        "Import",
        ["id", "location", "prefix", "state", "counts", "problems", "createdDate"],
        id=TEXT,
        location=named("Location"),
        prefix=TEXT,
        state=TEXT,
        register={"type": "boolean"},
        parts=COUNT,
        waitingForThaw=COUNT,
        counts=shape(["registered", "known", "refused"], registered=COUNT, known=COUNT, refused=COUNT),
        error=typed("ImportError", ["code", "description"], code=TEXT, description=TEXT),
        problems=items(_PROBLEM),
        next=TEXT,
        thawing=ref("ImportThawing"),
        createdDate=MOMENT,
        finishedDate=MOMENT,
    ),
    "ImportThawing": typed(
        "ImportThawing",
        ["estimate", "actual"],
        estimate=shape(
            ["parts", "objects", "bytes", "currency", "total"],
            parts=COUNT,
            objects=COUNT,
            bytes=COUNT,
            currency={"type": ["string", "null"]},
            total=TEXT,
        ),
        actual=ref("Thawing"),
    ),
    "DryRun": typed(
        "DryRun",
        ["would", "location", "prefix"],
        would=one_of(["create", "join"]),
        location=named("Location"),
        prefix=TEXT,
        objects=_UNKNOWN,
        bytes=_UNKNOWN,
        reason=TEXT,
        tagFiles={"anyOf": [_FROZEN, {"type": "null"}]},
        cost=COST_OR_NONE,
        costReason=TEXT,
        **{"import": TEXT},
    ),
}
_IMPORT: dict[str, Any] = {
    "id": "3",
    "type": "Import",
    "location": _COLD,
    "prefix": "digitised/",
    "state": "walking",
    "register": True,
    "parts": 7,
    "waitingForThaw": 0,
    "counts": {"registered": 120, "known": 0, "refused": 0},
    "problems": [],
    "createdDate": _DATE,
}
_READ: dict[str, Any] = _IMPORT | {
    "thawing": {
        "type": "ImportThawing",
        "estimate": {"parts": 1, "objects": 4120, "bytes": 108212011008, "currency": "USD", "total": "0.23"},
        "actual": BILLED_EXAMPLE,
    }
}
_DRY_RUN: dict[str, Any] = {
    "type": "DryRun",
    "would": "create",
    "location": _COLD,
    "prefix": "",
    "tagFiles": {
        "type": "FrozenTagFiles",
        "lookedAt": {"bags": 100, "complete": False},
        "estimated": True,
        "objects": 400,
        "bytes": 1638400,
        "classes": {"GLACIER": {"objects": 400, "bytes": 1638400}},
        "said": "Only the first 100 bags by key were looked at (at most 100, for at most 10 seconds); there is more."
        " n bags like these take n/100 of it.",
    },
    "cost": {
        "type": "Cost",
        "currency": "USD",
        "total": "0.000306",
        "region": "us-east-1",
        "restoredDays": 3,
        "requests": 400,
        "thawing": [
            {
                "tier": "Bulk",
                "total": "0.000004",
                "retrieval": "0.00",
                "requests": "0.00",
                "readableCopies": "0.000004",
                "withinSeconds": 43200,
                "exceeds": [],
            }
        ],
        "reading": "0.000165",
        "egress": "0.000137",
        "unverified": [],
        "unknown": [],
    },
}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": ["object", "null"]}


_REQUEST = shape(
    ["location"],
    location=shape(["id"], id=TEXT),
    prefix={"type": ["string", "null"]},
    register={"type": ["boolean", "null"]},
    copies={"type": ["boolean", "null"]},
    inventory=_or_null(shape(["location", "key"], location=shape(["id"], id=TEXT), key=TEXT)),
    manifests=_or_null(shape(["location"], location=shape(["id"], id=TEXT), prefix={"type": ["string", "null"]})),
)
_PROBLEMS = {"type": "string", "examples": ["bag,severity,code,message\r\n"]}
OPERATIONS = {
    "POST /imports": Said(
        {
            200: Answer(
                "What a dry run has to tell: what its thaws would cost, by a look at the first bags",
                ref("DryRun"),
                _DRY_RUN,
            ),
            202: Answer("Begun, or it runs", ref("Import"), _IMPORT, headers={"Location": "The import's address"}),
        },
        {"dryRun": False},
        {"location": _COLD, "prefix": "digitised/"},
        _REQUEST,
    ),
    "GET /imports/{import_id}": Said(
        {
            200: Answer("The import, or all its problems as CSV", ref("Import"), _READ, more={"text/csv": _PROBLEMS}),
            404: Answer("There is no such import"),
        },
        {"import_id": "3", "after": 0, "format": "json"},
    ),
}
