"""Reading what S3 tells of restores, in each of the envelopes that it comes in. Pure.

S3 → SQS and S3 → SNS → SQS bring records whose keys are encoded as in a form; EventBridge brings one detail whose key
is as it is. A message may hold several records, and things that are no business of ours: those are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from common.domain.restore import Happened, RestoreEvent

MOST_BYTES = 1 << 20
"""SQS brings no more than that."""
_ENVELOPES = 3
"""EventBridge → SNS → SQS, and one to spare."""

_NAMES = {
    "ObjectRestore:Post": Happened.INITIATED,
    "ObjectRestore:Completed": Happened.COMPLETED,
    "ObjectRestore:Delete": Happened.EXPIRED,
    "IntelligentTiering": Happened.ARCHIVED,
}
_DETAIL_TYPES = {
    "Object Restore Initiated": Happened.INITIATED,
    "Object Restore Completed": Happened.COMPLETED,
    "Object Restore Expired": Happened.EXPIRED,
    "Object Access Tier Changed": Happened.ARCHIVED,
}


class NotAnEvent(ValueError):
    """The message is nothing that S3, SNS or EventBridge sends."""


def read_events(body: str) -> list[RestoreEvent]:
    """Everything that a message tells of restores, in its order. Raises NotAnEvent with the reason."""
    if len(body) > MOST_BYTES:
        raise NotAnEvent(f"{len(body)} characters, at most {MOST_BYTES} are read")
    document = _parsed(body)
    for _ in range(_ENVELOPES):
        if document.get("Type") != "Notification" or not isinstance(document.get("Message"), str):
            break
        document = _parsed(document["Message"])
    try:
        return [_checked(event) for event in _events(document)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAnEvent(f"a record is not as S3 writes it: {type(error).__name__}: {error}") from None


def _checked(event: RestoreEvent) -> RestoreEvent:
    """Raises ValueError for names that no bucket has: the ledger could not hold them."""
    for name in (event.bucket, event.key):
        if not isinstance(name, str) or not name or "\x00" in name:
            raise ValueError(f"{name!r} is no name")
        name.encode()
    return event


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAnEvent(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise NotAnEvent(f"JSON, but not an object: {text[:80]}")
    return document


def _events(document: Mapping[str, Any]) -> Iterator[RestoreEvent]:
    if "Records" in document:
        for record in document["Records"]:
            yield from _of_record(record)
    elif "detail-type" in document:
        yield from _of_bridge(document)
    elif not _is_said_in_passing(document):
        raise NotAnEvent(f"neither Records nor detail-type: {', '.join(sorted(document)[:10])}")


def _is_said_in_passing(document: Mapping[str, Any]) -> bool:
    """What S3 sends when notifications are set up, and SNS when somebody subscribes or leaves."""
    return document.get("Event") == "s3:TestEvent" or str(document.get("Type", "")).endswith("Confirmation")


def _of_record(record: Mapping[str, Any]) -> Iterator[RestoreEvent]:
    what = _NAMES.get(str(record["eventName"]).removeprefix("s3:"))
    if record.get("eventSource") != "aws:s3" or what is None:
        return
    told = record["s3"]
    data = (record.get("glacierEventData") or {}).get("restoreEventData") or {}
    yield RestoreEvent(
        what=what,
        bucket=told["bucket"]["name"],
        key=unquote_plus(told["object"]["key"], errors="strict"),
        at=_moment(record.get("eventTime")),
        expires_at=_moment(data.get("lifecycleRestorationExpiryTime")),
    )


def _of_bridge(document: Mapping[str, Any]) -> Iterator[RestoreEvent]:
    what = _DETAIL_TYPES.get(document["detail-type"])
    if document.get("source") != "aws.s3" or what is None:
        return
    detail = document["detail"]
    yield RestoreEvent(
        what=what,
        bucket=detail["bucket"]["name"],
        key=detail["object"]["key"],
        at=_moment(document.get("time")),
        expires_at=_moment(detail.get("restore-expiry-time")),
    )


def _moment(text: str | None) -> datetime | None:
    """Raises ValueError for one without a zone."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment
