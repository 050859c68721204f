"""What the OpenAPI document says of the reports."""

from __future__ import annotations

import json
from typing import Any

from bag_register.reports import cold
from bag_register.reports.unbackfilled import COLUMNS, name_of
from common.domain.coverage import CopyState, Health
from common.domain.replica import EvidenceClass
from common.ledger.coverage.listing import LACKING
from common.web.contract import Answer, Said
from common.web.shapes import COUNT, DAY, MOMENT, TEXT, UUID, items, named, one_of, ref, shape, typed

_LINE = typed(
    "UnbackfilledBag",
    ["space", "externalIdentifier", "version", "state", "files", "bytes"],
    space=TEXT,
    externalIdentifier=TEXT,
    version=TEXT,
    state=one_of([state.value for state in CopyState]),
    stage=TEXT,
    code=TEXT,
    ingestId=UUID,
    evidence=one_of([evidence.value for evidence in EvidenceClass]),
    files=COUNT,
    bytes=COUNT,
)
_AMOUNT = dict.fromkeys(("bagVersions", "files", "bytes"), COUNT)
_TOTALS = (*_AMOUNT, *map(name_of, LACKING))
_STATES = shape([], **{name_of(state): shape(list(_AMOUNT), **_AMOUNT) for state in CopyState})
_HEALTH = one_of([health.value for health in Health])
_PLACE = typed("Location", ["id", "required", "states"], id=TEXT, required={"type": "boolean"}, states=_STATES)
_SOME = shape(["files", "bytes"], files=COUNT, bytes=COUNT)
_CLASS = typed(
    "StorageClassAmount",
    ["location", "storageClass", "archived", *_AMOUNT, "restoring", "restored"],
    location=TEXT,
    space=TEXT,
    storageClass=TEXT,
    archived={"type": "boolean"},
    **_AMOUNT,
    restoring=_SOME,
    restored=_SOME,
    seenFrom=DAY,
    seenTo=DAY,
)
SCHEMAS: dict[str, Any] = {
    "ColdReport": typed("ColdReport", ["date", "results"], date=MOMENT, results=items(_CLASS)),
    "UnbackfilledReport": typed(
        "UnbackfilledReport",
        ["location", "totals", "results"],
        location=named("Location"),
        totals=shape(_TOTALS, **dict.fromkeys((*_TOTALS, *map(name_of, CopyState)), COUNT)),
        results=items(_LINE),
        next=TEXT,
    ),
    "CoverageReport": typed(
        "CoverageReport",
        ["date", "health", *_AMOUNT, "atRisk", "locations", "spaces"],
        date=MOMENT,
        health=_HEALTH,
        **_AMOUNT,
        atRisk=COUNT,
        locations=items(typed("Location", ["id", "states"], id=TEXT, states=_STATES)),
        spaces=items(
            typed(
                "Space",
                ["id", "health", *_AMOUNT, "atRisk", "locations"],
                id=TEXT,
                health=_HEALTH,
                **_AMOUNT,
                atRisk=COUNT,
                locations=items(_PLACE),
            )
        ),
    ),
}
_AZURE = {"id": "azure", "type": "Location"}
_ONE = {"bagVersions": 1, "files": 412, "bytes": 734003200}
_REPORT: dict[str, Any] = {
    "type": "UnbackfilledReport",
    "location": _AZURE,
    "totals": {**_ONE, "missing": 1, "inProgress": 0, "waitingForThaw": 0, "stalled": 0, "failed": 0},
    "results": [
        {
            "space": "digitised",
            "externalIdentifier": "b12345",
            "version": "v2",
            "state": "missing",
            "files": 412,
            "bytes": 734003200,
            "type": "UnbackfilledBag",
        }
    ],
}
_COVERAGE = {
    "type": "CoverageReport",
    "date": "2026-01-31T09:00:00.000000Z",
    "health": "AT RISK",
    **_ONE,
    "atRisk": 1,
    "locations": [{**_AZURE, "states": {"missing": _ONE}}],
    "spaces": [
        {
            "id": "digitised",
            "type": "Space",
            "health": "AT RISK",
            **_ONE,
            "atRisk": 1,
            "locations": [{**_AZURE, "required": True, "states": {"missing": _ONE}}],
        }
    ],
}
_LYING = {
    "location": "cold",
    "storageClass": "GLACIER",
    "archived": True,
    **_ONE,
    "restoring": {"files": 118, "bytes": 209715200},
    "restored": {"files": 0, "bytes": 0},
    "seenFrom": "2026-01-12",
    "seenTo": "2026-01-31",
    "type": "StorageClassAmount",
}
_COLD = {"type": "ColdReport", "date": "2026-01-31T09:00:00.000000Z", "results": [_LYING]}
OPERATIONS = {
    "GET /reports/unbackfilled": Said(
        {
            200: Answer(
                "A page, or the whole list as CSV or NDJSON",
                ref("UnbackfilledReport"),
                _REPORT,
                more={
                    "text/csv": {"type": "string", "examples": [",".join(COLUMNS) + "\r\n"]},
                    "application/x-ndjson": {"type": "string", "examples": [json.dumps(_REPORT["results"][0]) + "\n"]},
                },
            )
        },
        {"location": "azure", "limit": 100, "format": "json"},
    ),
    "GET /reports/cold": Said(
        {
            200: Answer(
                "A line for each location and storage class",
                ref("ColdReport"),
                _COLD,
                more={
                    "text/csv": {"type": "string", "examples": [",".join(cold.COLUMNS) + "\r\n"]},
                    "application/x-ndjson": {"type": "string", "examples": [json.dumps(_LYING) + "\n"]},
                },
            )
        },
        {"location": "cold", "space": "digitised", "by": "location", "format": "json"},
    ),
    "GET /reports/coverage": Said(
        {200: Answer("The matrix", ref("CoverageReport"), _COVERAGE)}, {"space": "digitised"}
    ),
}
