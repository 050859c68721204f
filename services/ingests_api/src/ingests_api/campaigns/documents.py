"""Campaigns as the wire has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.ledger.campaigns.events import CampaignEvent
from common.ledger.campaigns.records import CampaignRecord, Failure, Pace, Part
from common.ledger.campaigns.selecting import Selected
from common.web.answers import instant


def campaign_document(
    campaign: CampaignRecord,
    *,
    events: tuple[CampaignEvent, ...] = (),
    pace: Pace | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """The whole document; what there is nothing to say about is left out."""
    limits = campaign.limits
    document = {
        "type": "Backfill",
        "id": str(campaign.id),
        "name": campaign.name or None,
        "state": {"id": campaign.state.value, "type": "State"},
        "paused": campaign.paused,
        "destination": {"id": campaign.destination_id, "type": "Location"},
        "selection": dict(campaign.selection),
        "order": campaign.order.value,
        "priority": campaign.priority,
        "limits": _given(
            bagsInFlight=limits.bags_in_flight, bytesInFlight=limits.bytes_in_flight, bytesPerDay=limits.bytes_per_day
        ),
        "expectedCount": campaign.expected_count,
        "options": dict(campaign.options) or None,
        "progress": _progress(campaign, pace),
        "pace": _pace(pace, now) if pace else None,
        "reason": campaign.reason,
        "createdBy": campaign.created_by,
        "createdDate": instant(campaign.created_at),
        "finishedDate": instant(campaign.finished_at) if campaign.finished_at else None,
        "events": [_event(event) for event in events] or None,
    }
    return _given(**document)


def _progress(campaign: CampaignRecord, pace: Pace | None) -> dict[str, Any]:
    ended = campaign.succeeded.bags + campaign.failed + campaign.already_there
    under_way = pace.under_way if pace else None
    waiting = campaign.selected.bags - ended - (under_way.bags if under_way else 0)
    return _given(
        selected=_part(campaign.selected),
        succeeded=_part(campaign.succeeded),
        failed={"bags": campaign.failed},
        alreadyThere={"bags": campaign.already_there},
        underWay={"bags": under_way.bags, "bytes": under_way.bytes} if under_way else None,
        waiting={"bags": max(0, waiting)} if under_way else None,
    )


def _part(part: Part) -> dict[str, Any]:
    return _given(bags=part.bags, files=part.files, bytes=part.bytes)


def _pace(pace: Pace, now: datetime | None) -> dict[str, Any]:
    left: timedelta | None = pace.remaining
    return _given(
        lastHour=_part(pace.last_hour),
        remainingSeconds=int(left.total_seconds()) if left is not None else None,
        expectedDate=instant(now + left) if now is not None and left is not None else None,
    )


def _event(event: CampaignEvent) -> dict[str, Any]:
    return _given(
        description=event.description,
        by=event.actor or None,
        createdDate=instant(event.created_at),
        type="BackfillEvent",
    )


def preview_document(
    selected: Selected, *, destination: str, expected: int | None, cost: Mapping[str, Any]
) -> dict[str, Any]:
    """What a dry run answers. `cost`: its fields of the document, which may be null."""
    told = _given(
        type="BackfillPreview",
        destination={"id": destination, "type": "Location"},
        wouldCreate={"bags": selected.bags, "files": selected.files, "bytes": selected.bytes},
        expectedCount=expected,
        asExpected=expected == selected.bags if expected is not None else None,
        first=[bag.path for bag in selected.examples],
    )
    return {**told, **cost}


def failure_document(failure: Failure) -> dict[str, Any]:
    return _given(
        space=failure.bag.space.value,
        externalIdentifier=failure.bag.external_identifier.value,
        version=str(failure.bag.version),
        ingestId=str(failure.ingest_id),
        code=failure.code,
        reason=failure.reason,
        files=failure.files,
        bytes=failure.bytes,
        type="Failure",
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
