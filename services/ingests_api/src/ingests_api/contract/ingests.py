"""Of ingests, their evidence and callbacks, and what people do to them."""

from __future__ import annotations

from typing import Any

from common.domain.ingest import IngestStatus, IngestType
from common.web.contract import Answer, Said
from common.web.shapes import (
    BAG,
    COUNT,
    DIGESTS,
    MOMENT,
    PLACE,
    TEXT,
    UUID,
    items,
    listing,
    named,
    ref,
    shape,
    typed,
)
from ingests_api import openapi

INGEST_ID = "5e0c2a1c-6d3e-4a55-9f0f-0c8a4a2d1b11"
_DATE = "2026-01-31T09:00:00.000000Z"
_AMOUNT = shape(["segments", "files", "bytes"], segments=COUNT, files=COUNT, bytes=COUNT)
_SPENT_AMOUNT = shape(["files", "bytes"], files=COUNT, bytes=COUNT)
_SUMMARY: dict[str, Any] = {
    "id": UUID,
    "sourceLocation": ref("BagPlace"),
    "destination": ref("BagPlace"),
    "ingestType": named("IngestType", [each.value for each in IngestType]),
    "space": named("Space"),
    "status": named("Status", [each.value for each in IngestStatus]),
    "bag": ref("Bag"),
    "error": typed("IngestError", ["code"], code=TEXT, description=TEXT),
    "retryOf": UUID,
    "createdDate": MOMENT,
    "lastModifiedDate": MOMENT,
}
_ALWAYS = ["id", "sourceLocation", "destination", "ingestType", "space", "status", "bag", "createdDate"]
EVENT = typed("IngestEvent", ["description", "createdDate"], description=TEXT, createdDate=MOMENT)
_BAD_FILE = typed(
    "BadFile",
    ["name", "outcome", "expected", "measured", "reason"],
    name=TEXT,
    outcome=TEXT,
    expected=DIGESTS,
    measured=DIGESTS,
    reason=TEXT,
)
_INGEST: dict[str, Any] = _SUMMARY | {
    "callback": typed("Callback", ["url", "status"], url=TEXT, status=named("Status")),
    "options": {"type": "object"},
    "overdue": {"const": True},
    "progress": shape(
        ["planned", "thawed", "copied", "verified"], planned=_AMOUNT, thawed=_AMOUNT, copied=_AMOUNT, verified=_AMOUNT
    ),
    "thawing": shape(["parts", "waiting"], parts=COUNT, waiting=COUNT, expectedDate=MOMENT),
    "verification": typed(
        "Verification", ["bad", "doubted", "badFiles"], bad=COUNT, doubted=COUNT, badFiles=items(_BAD_FILE)
    ),
    "stalled": typed("Stall", ["since", "stage", "reason"], since=MOMENT, stage=TEXT, reason=TEXT, lastError=TEXT),
    "events": items(EVENT),
}
_SPENT = typed(
    "Spent",
    ["restores", "copied", "copying", "verified"],
    restores=items(
        shape(["tier", "objects", "bytes"], tier=TEXT, days={"type": ["integer", "null"]}, objects=COUNT, bytes=COUNT)
    ),
    copied=_SPENT_AMOUNT,
    copying=_SPENT_AMOUNT,
    verified=_SPENT_AMOUNT,
)
_TALLY = shape(["match", "bad", "doubted"], match=COUNT, bad=COUNT, doubted=COUNT)
_PROOF = typed(
    "FileEvidence",
    ["name", "path", "outcome", "evidenceClass", "expected", "measured", "size", "reads", "startedDate", "endedDate"],
    name=TEXT,
    path=TEXT,
    outcome=TEXT,
    evidenceClass=TEXT,
    expected=DIGESTS,
    measured=DIGESTS,
    size=COUNT,
    etag=TEXT,
    versionId=TEXT,
    reason=TEXT,
    reads=COUNT,
    doubts=items(TEXT),
    startedDate=MOMENT,
    endedDate=MOMENT,
    worker=TEXT,
    build=TEXT,
    attempt=COUNT,
)
_PREVIEW = typed(
    "DryRun",
    ["wouldCreate", "results"],
    wouldCreate=shape(["ingests", "objects", "bytes"], ingests=COUNT, objects=COUNT, bytes=COUNT),
    results=items(typed("DryRunResult", ["would", "said"], would=TEXT, said=TEXT)),
)
_SEVERAL = typed(
    "ResultList", ["created", "running", "results"], created=COUNT, running=COUNT, results=items(ref("Ingest"))
)
SCHEMAS = {
    "BagPlace": PLACE,
    "Bag": BAG,
    "Ingest": typed("Ingest", [*_ALWAYS, "progress", "events"], **_INGEST),
    "EndedIngest": typed("Ingest", [*_ALWAYS, "progress", "events", "spent"], **_INGEST, spent=_SPENT),
    "IngestSummary": typed("Ingest", _ALWAYS, **_SUMMARY, hasStalled={"const": True}),
    "Evidence": typed(
        "Evidence", ["ingest", "totals", "results"], ingest=UUID, totals=_TALLY, results=items(_PROOF), next=TEXT
    ),
}


def _place(id: str, provider: str, bucket: str) -> dict[str, Any]:
    return {
        "id": id,
        "provider": {"id": provider, "type": "Provider"},
        "bucket": bucket,
        "path": "digitised/b12345",
        "type": "Location",
    }


_SHORT: dict[str, Any] = {
    "id": INGEST_ID,
    "type": "Ingest",
    "sourceLocation": _place("cold", "amazon-s3", "archive"),
    "destination": _place("azure", "azure-blob-storage", "replicas"),
    "ingestType": {"id": "backfill", "type": "IngestType"},
    "space": {"id": "digitised", "type": "Space"},
    "status": {"id": "processing", "type": "Status"},
    "bag": {"info": {"externalIdentifier": "b12345", "version": "v2", "type": "BagInfo"}, "type": "Bag"},
    "createdDate": _DATE,
    "lastModifiedDate": _DATE,
}
_PAGE = {"type": "IngestList", "results": [_SHORT]}
EVENT_EXAMPLE = {"description": "Planning started", "createdDate": _DATE, "type": "IngestEvent"}
_DONE = {"segments": 1, "files": 412, "bytes": 734003200}
_NONE = {"segments": 0, "files": 0, "bytes": 0}
_WHOLE = _SHORT | {
    "progress": {"planned": _DONE, "thawed": _DONE, "copied": _NONE, "verified": _NONE},
    "events": [EVENT_EXAMPLE],
}
_FAILED = _WHOLE | {
    "status": {"id": "failed", "type": "Status"},
    "error": {"code": "cancelled", "description": "Cancelled: not needed", "type": "IngestError"},
    "spent": {
        "restores": [{"tier": "Bulk", "days": 7, "objects": 118, "bytes": 734003200}],
        "copied": {"files": 0, "bytes": 0},
        "copying": {"files": 412, "bytes": 734003200},
        "verified": {"files": 0, "bytes": 0},
        "type": "Spent",
    },
}
_PROOF_EXAMPLE = {
    "name": "data/b12345_0001.jp2",
    "path": "digitised/b12345/v2/data/b12345_0001.jp2",
    "outcome": "match",
    "evidenceClass": "E3",
    "expected": {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    "measured": {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    "size": 1048576,
    "reads": 1,
    "startedDate": _DATE,
    "endedDate": _DATE,
    "worker": "verifier@host:1",
    "build": "backfill 0.1.0",
    "attempt": 1,
    "type": "FileEvidence",
}
_CALLBACKS = {
    "type": "ResultList",
    "results": [
        {
            "type": "Callback",
            "url": "https://workflow.example.org/done",
            "messageId": "1f0a5d4e-7b5f-4d0a-8a30-3f6b0c6f0d2e",
            "status": {"id": "succeeded", "type": "Status"},
            "attempts": [
                {
                    "type": "CallbackAttempt",
                    "round": 1,
                    "number": 1,
                    "startedDate": _DATE,
                    "milliseconds": 38,
                    "httpStatus": 204,
                }
            ],
        }
    ],
}
_404 = Answer("There is no such ingest")
_405 = Answer("What stands in the place of the ingest's id is none")
_409 = Answer("It makes no sense in the ingest's state; `code` and the description say why")
_ID = {"ingest_id": INGEST_ID}
_REASON = {"reason": "Delivered in the meantime by other means"}
_ADDRESS = {"Location": "The ingest's address"}
_OTHERWISE = {400: Answer("The request cannot be understood, or ingest_id is none"), 405: _405}
_REFUSED = {404: _404, 409: _409, **_OTHERWISE}


def _ending() -> Said:
    ended = Answer("The ingest, ended, and what was spent on it", ref("EndedIngest"), _FAILED)
    return Said({200: ended} | _REFUSED, _ID, _REASON)


OPERATIONS = {
    "GET /ingests": Said(
        {200: Answer("A page", listing("IngestList", ref("IngestSummary")), _PAGE)},
        {
            "bag": "b12345",
            "space": "digitised",
            "status": "failed",
            "destination": "azure",
            "code": "cancelled",
            "createdAfter": "2026-01-01",
            "createdBefore": "2026-02-01T00:00:00Z",
            "sort": "-createdDate",
            "limit": 50,
        },
    ),
    "POST /ingests": Said(
        {
            200: Answer(
                "What is asked for runs already: the running ingest, Location is its address. Or a dry run",
                {"anyOf": [ref("Ingest"), _SEVERAL, _PREVIEW]},
                _WHOLE,
            ),
            201: Answer(
                "Accepted; Location is the ingest's address. A list where several are asked for",
                {"anyOf": [ref("Ingest"), _SEVERAL]},
                _WHOLE,
            ),
            404: Answer("The register has no such bag, or no such version of it"),
        },
        {"dryRun": False},
    ),
    "GET /ingests/{ingest_id}": Said(
        {
            200: Answer("The ingest", ref("Ingest"), _WHOLE, headers={"ETag": "Changes with the document"}),
            304: Answer("It is as the ETag given says"),
            404: _404,
            405: _405,
        },
        _ID | {"wait": 0, "if-none-match": '"3f2a"'},
    ),
    "GET /ingests/{ingest_id}/evidence": Said(
        {
            200: Answer(
                "A page of files by their key",
                ref("Evidence"),
                {
                    "type": "Evidence",
                    "ingest": INGEST_ID,
                    "totals": {"match": 1, "bad": 0, "doubted": 0},
                    "results": [_PROOF_EXAMPLE],
                },
            ),
            404: _404,
            405: _405,
        },
        _ID | {"which": "bad", "limit": 100},
    ),
    "GET /ingests/{ingest_id}/callbacks": Said(
        {200: Answer("The callbacks, by date of request", openapi.CALLBACK_LOG, _CALLBACKS), 404: _404, 405: _405}, _ID
    ),
    "POST /ingests/{ingest_id}/callback/replay": Said(
        {
            202: Answer("They are due now; their message ids stay", openapi.CALLBACK_LOG, _CALLBACKS),
            404: _404,
            409: Answer("There is no callback, or it is still on its way"),
            415: Answer("ingest_id is none, and the request is not application/json"),
            **_OTHERWISE,
        },
        _ID,
    ),
    "POST /ingests/{ingest_id}/cancel": _ending(),
    "POST /ingests/{ingest_id}/fail": _ending(),
    "POST /ingests/{ingest_id}/speed-up": Said(
        {200: Answer("It asks again, faster", ref("Ingest"), _WHOLE)} | _REFUSED, _ID, {"tier": "Standard"} | _REASON
    ),
    "POST /ingests/{ingest_id}/retry": Said(
        {
            200: Answer("It runs: what waits in it goes on at once", ref("Ingest"), _WHOLE, headers=_ADDRESS),
            201: Answer("The new ingest", ref("Ingest"), _WHOLE | {"retryOf": INGEST_ID}, headers=_ADDRESS),
        }
        | _REFUSED,
        _ID,
        _REASON,
    ),
}
