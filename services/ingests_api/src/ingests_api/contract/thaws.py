"""Of what thawing would cost, has cost, and takes."""

from __future__ import annotations

from typing import Any

from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, UUID, items, named, ref, shape, typed
from ingests_api.contract.ingests import INGEST_ID

_NULLABLE: dict[str, Any] = {"type": ["string", "null"]}
_TIER = shape(
    ["tier", "total", "retrieval", "requests", "readableCopies", "withinSeconds", "exceeds"],
    tier=TEXT,
    total=TEXT,
    retrieval=TEXT,
    requests=TEXT,
    readableCopies=TEXT,
    withinSeconds=COUNT,
    exceeds=items(TEXT),
)
_COST = typed(
    "Cost",
    ["currency", "total", "requests", "unverified", "unknown"],
    currency=TEXT,
    total=TEXT,
    region=_NULLABLE,
    restoredDays=COUNT,
    requests=COUNT,
    thawing=items(_TIER),
    reading=TEXT,
    egress=_NULLABLE,
    unverified=items(TEXT),
    unknown=items(TEXT),
)
COST_OR_NONE = {"anyOf": [ref("Cost"), {"type": "null"}]}
_BILLED = typed(
    "Thawing",
    ["costs", "complete", "restores"],
    costs=items(shape(["currency", "total"], currency=TEXT, total=TEXT)),
    complete={"type": "boolean"},
    restores=items(
        shape(
            ["storageClass", "tier", "days", "extension", "objects", "bytes", "cost"],
            storageClass=TEXT,
            tier=TEXT,
            days={"type": ["integer", "null"]},
            extension={"type": "boolean"},
            objects=COUNT,
            bytes=COUNT,
            cost=TEXT,
        )
    ),
)
_PROGRESS = shape(
    ["objects", "ofObjects", "bytes", "ofBytes", "percent"],
    objects=COUNT,
    ofObjects=COUNT,
    bytes=COUNT,
    ofBytes=COUNT,
    percent=COUNT,
)
_ESTIMATED = shape(["cost"], cost=COST_OR_NONE, costReason=TEXT)
SCHEMAS = {
    "Cost": _COST,
    "Thawing": _BILLED,
    "ThawEstimate": typed(
        "ThawEstimate",
        ["location", "bags", "objects", "bytes", "cost"],
        location=named("Location"),
        bags=COUNT,
        objects=COUNT,
        bytes=COUNT,
        cost=COST_OR_NONE,
        costReason=TEXT,
    ),
    "IngestThawing": typed(
        "IngestThawing",
        ["ingest", "estimate", "actual", "progress", "waiting", "expectedDate"],
        ingest=UUID,
        estimate=_ESTIMATED,
        actual=ref("Thawing"),
        progress=_PROGRESS,
        waiting={"anyOf": [shape(["parts", "reason"], parts=COUNT, reason=TEXT), {"type": "null"}]},
        expectedDate={"anyOf": [MOMENT, {"type": "null"}]},
    ),
    "BackfillThawing": typed("BackfillThawing", ["backfill", "actual"], backfill=UUID, actual=ref("Thawing")),
}
COST_EXAMPLE = {
    "type": "Cost",
    "currency": "USD",
    "total": "9.31",
    "region": "us-east-1",
    "restoredDays": 3,
    "requests": 4120,
    "thawing": [
        {
            "tier": "Bulk",
            "total": "0.23",
            "retrieval": "0.00",
            "requests": "0.00",
            "readableCopies": "0.23",
            "withinSeconds": 43200,
            "exceeds": [],
        }
    ],
    "reading": "0.01",
    "egress": "9.07",
    "unverified": [],
    "unknown": [],
}
_ACTUAL = {
    "type": "Thawing",
    "costs": [{"currency": "USD", "total": "0.15"}],
    "complete": True,
    "restores": [
        {
            "storageClass": "GLACIER",
            "tier": "Bulk",
            "days": 2,
            "extension": False,
            "objects": 4120,
            "bytes": 108212011008,
            "cost": "0.15",
        }
    ],
}
_404 = Answer("There is none of this id")
OPERATIONS = {
    "GET /thaws/estimate": Said(
        {
            200: Answer(
                "What lies there, and what thawing it would cost and take; `costReason` where nobody can say",
                ref("ThawEstimate"),
                {
                    "type": "ThawEstimate",
                    "location": {"id": "glacier", "type": "Location"},
                    "bags": 12,
                    "objects": 4120,
                    "bytes": 108212011008,
                    "cost": COST_EXAMPLE,
                },
            )
        },
        {"location": "cold", "space": "digitised", "bag": "digitised/b12345", "to": "azure", "tier": "Bulk"}
        | {"restoredDays": 3},
    ),
    "GET /ingests/{ingest_id}/thawing": Said(
        {
            200: Answer(
                "The estimate, what was really asked for, and the progress that is confirmed",
                ref("IngestThawing"),
                {
                    "type": "IngestThawing",
                    "ingest": INGEST_ID,
                    "estimate": {"cost": COST_EXAMPLE},
                    "actual": _ACTUAL,
                    "progress": {
                        "objects": 2060,
                        "ofObjects": 4120,
                        "bytes": 54106005504,
                        "ofBytes": 108212011008,
                        "percent": 50,
                    },
                    "waiting": None,
                    "expectedDate": "2026-02-01T03:00:00.000000Z",
                },
            ),
            404: _404,
        },
        {"ingest_id": INGEST_ID},
    ),
    "GET /backfills/{campaign_id}/thawing": Said(
        {
            200: Answer(
                "What its ingests have asked of the stores, and what it came to",
                ref("BackfillThawing"),
                {"type": "BackfillThawing", "backfill": INGEST_ID, "actual": _ACTUAL},
            ),
            404: _404,
        },
        {"campaign_id": INGEST_ID},
    ),
}
