"""What the OpenAPI document says of checks and evidence."""

from __future__ import annotations

from typing import Any

from common.domain.replica import CheckState, Verdict
from common.web.contract import Answer, Said
from common.web.shapes import BAG, COUNT, MOMENT, TEXT, named, one_of, ref, shape, typed

_DATE = "2026-01-31T09:00:00.000000Z"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_COUNTS = ("files", "bytes", "bad", "unread")
_CHECKPOINT = typed(
    "EvidenceCheckpoint",
    ["sealed", "hash", "createdDate"],
    sealed=COUNT,
    hash=TEXT,
    createdDate=MOMENT,
    writtenDate=MOMENT,
)
SCHEMAS: dict[str, Any] = {
    "Check": typed(
        "Check",
        ["id", "space", "bag", "location", "state", "counts", "askedBy", "createdDate"],
        id=TEXT,
        space=named("Space"),
        bag=BAG,
        location=named("Location"),
        state=one_of([state.value for state in CheckState]),
        verdict=one_of([verdict.value for verdict in Verdict]),
        why=TEXT,
        counts=shape(_COUNTS, **dict.fromkeys(_COUNTS, COUNT)),
        error=TEXT,
        lastError=TEXT,
        askedBy=TEXT,
        createdDate=MOMENT,
        finishedDate=MOMENT,
    ),
    "EvidenceReport": typed(
        "EvidenceReport",
        ["scope", "createdDate", "chain", "copies"],
        scope=TEXT,
        createdDate=MOMENT,
        chain=shape(["sealed", "hash"], sealed=COUNT, hash=TEXT),
        checkpoint=shape(["sealed", "hash", "createdDate"], sealed=COUNT, hash=TEXT, createdDate=MOMENT),
        copies={"type": "array", "items": {"type": "object"}},
    ),
    "EvidenceChain": typed("EvidenceChain", ["sealed", "hash"], sealed=COUNT, hash=TEXT, lastCheckpoint=_CHECKPOINT),
}
_COPY = {
    "space": {"id": "digitised", "type": "Space"},
    "bag": {"info": {"externalIdentifier": "b12345", "version": "v2", "type": "BagInfo"}, "type": "Bag"},
    "location": {"id": "azure", "type": "Location"},
}
_CHECK: dict[str, Any] = {
    "id": "7",
    "type": "Check",
    **_COPY,
    "state": "finished",
    "verdict": "good",
    "counts": {"files": 412, "bytes": 734003200, "bad": 0, "unread": 0},
    "askedBy": "operator",
    "createdDate": _DATE,
    "finishedDate": _DATE,
}
_CHAIN: dict[str, Any] = {
    "type": "EvidenceChain",
    "sealed": 1204533,
    "hash": _HASH,
    "lastCheckpoint": {
        "type": "EvidenceCheckpoint",
        "sealed": 1204533,
        "hash": _HASH,
        "createdDate": _DATE,
        "writtenDate": _DATE,
    },
}
_REQUEST = shape(
    ["space", "bag", "location"],
    space=shape(["id"], id=TEXT),
    bag=shape(
        ["info"],
        info=shape(["externalIdentifier"], externalIdentifier=TEXT, version={"type": ["string", "null"]}),
    ),
    location=shape(["id"], id=TEXT),
)

OPERATIONS = {
    "POST /checks": Said(
        {
            202: Answer("Begun, or it runs already", ref("Check"), _CHECK, headers={"Location": "The check's address"}),
            404: Answer("There is no such bag, or it is not registered at the location"),
        },
        {},
        _COPY,
        _REQUEST,
    ),
    "GET /checks/{check_id}": Said(
        {200: Answer("The check", ref("Check"), _CHECK), 404: Answer("There is no such check")}, {"check_id": "7"}
    ),
    "GET /evidence/chain": Said({200: Answer("The chain", ref("EvidenceChain"), _CHAIN)}),
    "GET /reports/evidence": Said(
        {
            200: Answer(
                "The report",
                ref("EvidenceReport"),
                {
                    "type": "EvidenceReport",
                    "scope": "digitised/b12345",
                    "createdDate": _DATE,
                    "chain": {"sealed": 1204533, "hash": _HASH},
                    "copies": [],
                },
                more={
                    "text/csv": {"type": "string", "examples": ["space,external_identifier,version\r\n"]},
                    "text/html": {"type": "string", "examples": ["<!doctype html>"]},
                },
            ),
            404: Answer("No copy is registered"),
        },
        {"space": "digitised", "identifier": "b12345", "format": "json"},
    ),
    "POST /evidence/checkpoints": Said({201: Answer("The chain", ref("EvidenceChain"), _CHAIN)}),
}
