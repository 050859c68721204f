"""Of campaigns."""

from __future__ import annotations

from typing import Any

from common.domain.campaign import CampaignState
from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, UUID, items, listing, named, ref, shape, typed
from common.web.thaw_costs import COST_EXAMPLE, COST_OR_NONE
from ingests_api.contract.ingests import INGEST_ID

CAMPAIGN_ID = "0b7f5b0e-4a27-4b8b-9a57-6f2f0a9d3c21"
_DATE = "2026-01-31T09:00:00.000000Z"
_PART = shape(["bags"], bags=COUNT, files=COUNT, bytes=COUNT)
_FAILURE = typed(
    "Failure",
    ["space", "externalIdentifier", "version", "ingestId"],
    space=TEXT,
    externalIdentifier=TEXT,
    version=TEXT,
    ingestId=UUID,
    code=TEXT,
    reason=TEXT,
    files=COUNT,
    bytes=COUNT,
)
_SOURCE = shape(
    ["location", "bags", "objects", "bytes", "classes", "classesReason", "cost"],
    location=named("Location"),
    bags=COUNT,
    objects=COUNT,
    bytes=COUNT,
    classes={"type": ["object", "null"]},
    classesEstimated={"type": "boolean"},
    classesReason=TEXT,
    cost=COST_OR_NONE,
    costReason=TEXT,
)
SCHEMAS = {
    "Backfill": typed(
        "Backfill",
        ["id", "state", "paused", "destination", "selection", "order", "priority", "limits", "progress", "createdDate"],
        id=UUID,
        name=TEXT,
        state=named("State", [each.value for each in CampaignState]),
        paused={"type": "boolean"},
        destination=named("Location"),
        selection={"type": "object"},
        order=TEXT,
        priority={"type": "integer"},
        limits=shape([], bagsInFlight=COUNT, bytesInFlight=COUNT, bytesPerDay=COUNT),
        expectedCount=COUNT,
        options={"type": "object"},
        progress=shape(
            ["selected", "succeeded", "failed", "alreadyThere"],
            selected=_PART,
            succeeded=_PART,
            failed=_PART,
            alreadyThere=_PART,
            underWay=_PART,
            waiting=_PART,
        ),
        pace=shape(["lastHour"], lastHour=_PART, remainingSeconds=COUNT, expectedDate=MOMENT),
        reason=TEXT,
        createdBy=TEXT,
        createdDate=MOMENT,
        finishedDate=MOMENT,
        events=items(
            typed("BackfillEvent", ["description", "createdDate"], description=TEXT, by=TEXT, createdDate=MOMENT)
        ),
    ),
    "BackfillPreview": typed(
        "BackfillPreview",
        ["destination", "wouldCreate", "first", "cost", "sources"],
        destination=named("Location"),
        wouldCreate=_PART,
        expectedCount=COUNT,
        asExpected={"type": "boolean"},
        first=items(TEXT),
        cost=COST_OR_NONE,
        costReason=TEXT,
        sources=items(_SOURCE),
    ),
}
_EXAMPLE: dict[str, Any] = {
    "type": "Backfill",
    "id": CAMPAIGN_ID,
    "name": "azure-2026",
    "state": {"id": "running", "type": "State"},
    "paused": False,
    "destination": {"id": "azure", "type": "Location"},
    "selection": {"missing": {"space": "digitised"}},
    "order": "oldest",
    "priority": 0,
    "limits": {"bagsInFlight": 200, "bytesPerDay": 2_000_000_000_000},
    "progress": {
        "selected": {"bags": 41870, "files": 91_000_000, "bytes": 880_000_000_000_000},
        "succeeded": {"bags": 120, "files": 260_000, "bytes": 2_600_000_000_000},
        "failed": {"bags": 1},
        "alreadyThere": {"bags": 0},
    },
    "createdBy": "everyone",
    "createdDate": _DATE,
    "events": [{"description": "Running", "createdDate": _DATE, "type": "BackfillEvent"}],
}
_FAILURE_EXAMPLE = {
    "space": "digitised",
    "externalIdentifier": "b12345",
    "version": "v2",
    "ingestId": INGEST_ID,
    "code": "source_vanished",
    "reason": "an object is gone",
    "files": 412,
    "bytes": 734003200,
    "type": "Failure",
}
_CSV = {
    "type": "string",
    "examples": ["space,external_identifier,version,ingest_id,code,reason,files,bytes\r\n"],
}
_404 = Answer("There is no such campaign")
_409 = Answer("The campaign is in a state in which this cannot be done; the description says which")
_ID = {"campaign_id": CAMPAIGN_ID}
_FOUND = Answer("The campaign", ref("Backfill"), _EXAMPLE)
_CONTROL = Said({200: _FOUND, 404: _404, 409: _409}, _ID, {"reason": "Network maintenance until Monday"})

OPERATIONS = {
    "POST /backfills": Said(
        {
            200: Answer(
                "A dry run: how many bag versions, files and bytes, the first of them, and what it would cost",
                ref("BackfillPreview"),
                {
                    "type": "BackfillPreview",
                    "destination": {"id": "azure", "type": "Location"},
                    "wouldCreate": {"bags": 1, "files": 412, "bytes": 734003200},
                    "first": ["digitised/b12345/v2"],
                    "cost": COST_EXAMPLE,
                    "sources": [
                        {
                            "location": {"id": "cold", "type": "Location"},
                            "bags": 1,
                            "objects": 412,
                            "bytes": 734003200,
                            "classes": {"GLACIER": {"objects": 412, "bytes": 734003200}},
                            "classesEstimated": True,
                            "classesReason": "As the location's archive_class says; no object was looked at.",
                            "cost": COST_EXAMPLE,
                        }
                    ],
                },
            ),
            201: Answer("Begun", ref("Backfill"), _EXAMPLE, headers={"Location": "The campaign's address"}),
            404: Answer("Listed bag versions, or the earlier campaign, are not known"),
        },
        {"dryRun": False},
    ),
    "GET /backfills": Said(
        {
            200: Answer(
                "A page", listing("BackfillList", ref("Backfill")), {"type": "BackfillList", "results": [_EXAMPLE]}
            )
        },
        {"limit": 20, "open": True},
    ),
    "GET /backfills/{campaign_id}": Said({200: _FOUND, 404: _404}, _ID),
    "PATCH /backfills/{campaign_id}": Said(
        {200: _FOUND, 404: _404, 409: _409}, _ID, {"priority": 10, "limits": {"bagsInFlight": 50}}
    ),
    "GET /backfills/{campaign_id}/failures": Said(
        {
            200: Answer(
                "A page, or the whole list as CSV",
                listing("FailureList", _FAILURE),
                {"type": "FailureList", "results": [_FAILURE_EXAMPLE]},
                more={"text/csv": _CSV},
            ),
            404: _404,
        },
        _ID | {"limit": 100, "format": "json"},
    ),
    **{f"POST /backfills/{{campaign_id}}/{name}": _CONTROL for name in ("pause", "resume", "cancel", "retry")},
}
