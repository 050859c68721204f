"""Of streams of events. OpenAPI 3.1 cannot say what is in a stream: its events have schemas of their own."""

from __future__ import annotations

from common.domain.ingest import IngestStatus
from common.web.contract import Answer, Said
from common.web.event_streams import MEDIA_TYPE
from common.web.shapes import MOMENT, TEXT, UUID, named, one_of, typed
from ingests_api.contract.campaigns import CAMPAIGN_ID
from ingests_api.contract.ingests import INGEST_ID
from ingests_api.streaming.wire import GOODBYES

SCHEMAS = {
    "IngestNews": typed(
        "IngestEvent",
        ["description", "createdDate", "ingestId", "space", "externalIdentifier", "version", "destination", "status"],
        description=TEXT,
        createdDate=MOMENT,
        detail={"type": "object"},
        ingestId=UUID,
        space=TEXT,
        externalIdentifier=TEXT,
        version=TEXT,
        destination=TEXT,
        status=named("Status", [each.value for each in IngestStatus]),
        backfillId=UUID,
    ),
    "BackfillNews": typed(
        "BackfillEvent",
        ["description", "createdDate", "backfillId"],
        description=TEXT,
        by=TEXT,
        createdDate=MOMENT,
        backfillId=UUID,
    ),
    "StreamOpened": typed("StreamOpened"),
    "StreamEnded": typed("StreamEnded", ["code", "description"], code=one_of([*GOODBYES]), description=TEXT),
}
_EVENT = {
    "type": "object",
    "description": "An event, as text/event-stream spells it. By its name, `data` is the JSON of a StreamOpened (open),"
    " IngestNews (ingest), BackfillNews (campaign) or, as the last one, StreamEnded (end). Where there is nothing"
    " else a comment comes every 15 s.",
    "properties": {
        "event": one_of(["open", "ingest", "campaign", "end"]),
        "id": {"type": "string", "pattern": r"^\d+\.\d+$", "description": "Last-Event-ID of who has heard it"},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer"},
    },
    "examples": [
        {
            "event": "ingest",
            "id": "8813.17",
            "data": '{"description":"Verifying succeeded","createdDate":"2026-01-31T09:00:00.000000Z",'
            f'"type":"IngestEvent","ingestId":"{INGEST_ID}","space":"digitised","externalIdentifier":"b12345",'
            '"version":"v2","destination":"azure","status":{"id":"processing","type":"Status"}}',
        }
    ],
}
_TOLD = Answer(
    "Events, until the client leaves or an event `end` says why there are no more", more={MEDIA_TYPE: _EVENT}
)
_FULL = Answer("Too many listen to this process already (too_many_listeners), or the ledger does not answer")
_PLACE = {"after": "8812.17", "last-event-id": "8812.17"}

OPERATIONS = {
    "GET /ingests/events": Said({200: _TOLD, 503: _FULL}, _PLACE),
    "GET /ingests/{ingest_id}/events": Said(
        {
            200: _TOLD,
            204: Answer("It has finished, and every event of it was heard: there is no need to ask again"),
            404: Answer("There is no such ingest"),
            405: Answer("What stands in the place of the ingest's id is none"),
            503: _FULL,
        },
        {"ingest_id": INGEST_ID, **_PLACE},
    ),
    "GET /backfills/{campaign_id}/events": Said(
        {200: _TOLD, 404: Answer("There is no such campaign"), 503: _FULL}, {"campaign_id": CAMPAIGN_ID, **_PLACE}
    ),
}
