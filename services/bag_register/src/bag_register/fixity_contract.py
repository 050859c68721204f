"""What the OpenAPI document says of fixity over time."""

from __future__ import annotations

from typing import Any

from common.domain.replica import EvidenceClass, Verdict
from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, listing, named, one_of, ref, shape, typed

_DATE = "2026-01-31T09:00:00.000000Z"
_POLICY_FIELDS: dict[str, Any] = {
    "id": COUNT,
    "location": named("Location"),
    "space": named("Space"),
    "everyDays": COUNT,
    "atOnce": COUNT,
    "bytesPerSecond": COUNT,
    "createdBy": TEXT,
    "createdDate": MOMENT,
}
_ALWAYS = ["id", "location", "everyDays", "atOnce", "createdBy", "createdDate"]
_COPIES = shape(
    ["all", "due", "overdue", "running"], all=COUNT, due=COUNT, overdue=COUNT, running=COUNT, oldestDueDate=MOMENT
)
SCHEMAS: dict[str, Any] = {
    "FixityPolicy": typed("FixityPolicy", _ALWAYS, **_POLICY_FIELDS),
    "FixityReport": typed(
        "FixityReport",
        ["results", "checked"],
        results={
            "type": "array",
            "items": typed("FixityPolicy", [*_ALWAYS, "copies"], **_POLICY_FIELDS, copies=_COPIES),
        },
        checked={
            "type": "array",
            "items": shape(["location"], location=named("Location"), good=COUNT, bad=COUNT, unread=COUNT),
        },
    ),
    "FixityCopy": typed(
        "FixityCopy",
        ["space", "externalIdentifier", "version", "location", "evidenceClass", "overdue"],
        space=named("Space"),
        externalIdentifier=TEXT,
        version=TEXT,
        location=named("Location"),
        evidenceClass=one_of([each.value for each in EvidenceClass]),
        verdict=one_of([verdict.value for verdict in Verdict]),
        readDate=MOMENT,
        checkedDate=MOMENT,
        checkedEvidenceClass=one_of([each.value for each in EvidenceClass]),
        check=TEXT,
        dueDate=MOMENT,
        overdue={"type": "boolean"},
    ),
}
_AZURE = {"id": "azure", "type": "Location"}
_POLICY: dict[str, Any] = {
    "type": "FixityPolicy",
    "id": 1,
    "location": _AZURE,
    "everyDays": 90,
    "atOnce": 10,
    "bytesPerSecond": 50_000_000,
    "createdBy": "operator",
    "createdDate": _DATE,
}
_COPY = {
    "type": "FixityCopy",
    "space": {"id": "digitised", "type": "Space"},
    "externalIdentifier": "b12345",
    "version": "v2",
    "location": _AZURE,
    "evidenceClass": "E3",
    "verdict": "good",
    "readDate": _DATE,
    "checkedDate": _DATE,
    "checkedEvidenceClass": "E3",
    "check": "7",
    "dueDate": _DATE,
    "overdue": True,
}

OPERATIONS = {
    "GET /fixity/policies": Said(
        {
            200: Answer(
                "All of them",
                listing("FixityPolicyList", ref("FixityPolicy")),
                {"type": "FixityPolicyList", "results": [_POLICY]},
            )
        }
    ),
    "POST /fixity/policies": Said({201: Answer("The policy", ref("FixityPolicy"), _POLICY)}),
    "DELETE /fixity/policies/{policy_id}": Said(
        {204: Answer("Taken back"), 404: Answer("There is no such policy")}, {"policy_id": 1}
    ),
    "GET /reports/fixity": Said(
        {
            200: Answer(
                "By policy, and by location",
                ref("FixityReport"),
                {
                    "type": "FixityReport",
                    "results": [_POLICY | {"copies": {"all": 260000, "due": 12, "overdue": 0, "running": 10}}],
                    "checked": [{"location": _AZURE, "good": 259000, "bad": 1}],
                },
            )
        }
    ),
    "GET /reports/fixity/copies": Said(
        {
            200: Answer(
                "A page",
                listing("FixityCopies", ref("FixityCopy")),
                {"type": "FixityCopies", "results": [_COPY], "next": "7@azure"},
            )
        },
        {"standing": "overdue", "limit": 100},
    ),
}
