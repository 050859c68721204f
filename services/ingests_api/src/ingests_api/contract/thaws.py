"""Of what thawing would cost, has cost, and takes."""

from __future__ import annotations

from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, UUID, named, ref, shape, typed
from common.web.thaw_costs import BILLED_EXAMPLE, COST_EXAMPLE, COST_OR_NONE
from common.web.thaw_costs import SCHEMAS as COSTS
from ingests_api.contract.ingests import INGEST_ID

_PROGRESS = shape(
    ["objects", "ofObjects", "bytes", "ofBytes", "percent"],
    objects=COUNT,
    ofObjects=COUNT,
    bytes=COUNT,
    ofBytes=COUNT,
    percent=COUNT,
)
_ESTIMATED = shape(["cost"], cost=COST_OR_NONE, costReason=TEXT)
SCHEMAS = COSTS | {
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
                    "actual": BILLED_EXAMPLE,
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
                {"type": "BackfillThawing", "backfill": INGEST_ID, "actual": BILLED_EXAMPLE},
            ),
            404: _404,
        },
        {"campaign_id": INGEST_ID},
    ),
}
