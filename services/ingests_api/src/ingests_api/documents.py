"""An ingest as the wire has it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from common.domain.bag import BagVersion
from common.domain.storage_manifest import location_document
from common.ledger.actions import Action
from common.ledger.dead_letters import DeadLetter
from common.ledger.ingests import IngestRecord
from common.ledger.listing import IngestSummary
from common.ledger.stalls import Stalled
from common.ledger.thawing.watching import Frozen
from common.web.answers import instant


def ingest_document(ingest: IngestRecord, *, frozen: Frozen | None = None) -> dict[str, Any]:
    """The whole document; what there is nothing to say about is left out. `frozen`: what of it cannot be read yet."""
    document = {
        "id": str(ingest.id),
        "type": "Ingest",
        "sourceLocation": location_document(ingest.source, path=ingest.source.bag_root(ingest.bag)),
        "destination": location_document(ingest.destination, path=ingest.destination.bag_root(ingest.bag)),
        "callback": _callback(ingest),
        "ingestType": {"id": ingest.type.value, "type": "IngestType"},
        "space": {"id": ingest.bag.space.value, "type": "Space"},
        "status": {"id": ingest.status.value, "type": "Status"},
        "bag": _bag(ingest.bag),
        "options": dict(ingest.options) or None,
        "overdue": _overdue(ingest) or None,
        "error": _error(ingest),
        "progress": asdict(ingest.progress),
        "thawing": _thawing(frozen) if frozen else None,
        "verification": _verification(ingest),
        "retryOf": str(ingest.retry_of) if ingest.retry_of else None,
        "stalled": _stalled(ingest.stalled),
        "events": _events(ingest),
        "createdDate": instant(ingest.created_at),
        "lastModifiedDate": instant(ingest.events[-1].created_at) if ingest.events else None,
    }
    return {name: value for name, value in document.items() if value is not None}


def _thawing(frozen: Frozen) -> dict[str, Any]:
    until = frozen.readable_at
    return {"parts": frozen.parts, "waiting": frozen.waiting} | ({"expectedDate": instant(until)} if until else {})


def summary_document(ingest: IngestSummary) -> dict[str, Any]:
    """One line of a list: the document without history and progress."""
    document = {
        "id": str(ingest.id),
        "type": "Ingest",
        "sourceLocation": location_document(ingest.source, path=ingest.source.bag_root(ingest.bag)),
        "destination": location_document(ingest.destination, path=ingest.destination.bag_root(ingest.bag)),
        "ingestType": {"id": ingest.type.value, "type": "IngestType"},
        "space": {"id": ingest.bag.space.value, "type": "Space"},
        "status": {"id": ingest.status.value, "type": "Status"},
        "bag": _bag(ingest.bag),
        "error": {"code": ingest.error_code, "type": "IngestError"} if ingest.error_code else None,
        "retryOf": str(ingest.retry_of) if ingest.retry_of else None,
        "hasStalled": ingest.stalled or None,
        "createdDate": instant(ingest.created_at),
        "lastModifiedDate": instant(ingest.last_modified) if ingest.last_modified else None,
    }
    return {name: value for name, value in document.items() if value is not None}


def dead_letter_document(letter: DeadLetter) -> dict[str, Any]:
    document = {
        "id": str(letter.id),
        "type": "DeadLetter",
        "stage": letter.stage,
        "queue": letter.queue,
        "code": letter.code,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "ingestId": str(letter.ingest_id) if letter.ingest_id else None,
        "importId": str(letter.row_id) if letter.kind == "import" else None,
        "body": letter.body,
        "status": {"id": letter.resolution or "open", "type": "Status"},
        "redrivenAs": str(letter.redriven_as) if letter.redriven_as else None,
        "createdDate": instant(letter.created_at),
        "resolvedDate": instant(letter.resolved_at) if letter.resolved_at else None,
    }
    return {name: value for name, value in document.items() if value is not None}


def action_document(action: Action) -> dict[str, Any]:
    return {
        "description": action.what,
        "actor": action.who,
        "reason": action.why,
        "createdDate": instant(action.created_at),
        "type": "Action",
    }


def _bag(bag: BagVersion) -> dict[str, Any]:
    info = {
        "externalIdentifier": bag.external_identifier.value,
        "version": str(bag.version),
        "type": "BagInfo",
    }
    return {"info": info, "type": "Bag"}


def _stalled(stalled: Stalled | None) -> dict[str, Any] | None:
    if stalled is None:
        return None
    document = {
        "since": instant(stalled.since),
        "stage": stalled.stage.name,
        "reason": stalled.reason,
        "lastError": stalled.last_error,
        "type": "Stall",
    }
    return {name: value for name, value in document.items() if value is not None}


def _callback(ingest: IngestRecord) -> dict[str, Any] | None:
    if ingest.callback_url is None:
        return None
    status = {"id": ingest.callback_status, "type": "Status"}
    return {"url": ingest.callback_url, "status": status, "type": "Callback"}


def _overdue(ingest: IngestRecord) -> bool:
    """Whether the deadline has passed and it has not succeeded in time."""
    deadline = ingest.options.get("deadline")
    if deadline is None:
        return False
    ended = ingest.events[-1].created_at if ingest.status.terminal and ingest.events else datetime.now(UTC)
    return ended > datetime.fromisoformat(deadline)


def _error(ingest: IngestRecord) -> dict[str, Any] | None:
    """Why it failed: the stable code, and the sentence of the history that says so."""
    if ingest.error_code is None:
        return None
    told = [event.description for event in ingest.events if event.detail.get("code") == ingest.error_code]
    error = {"code": ingest.error_code, "type": "IngestError"}
    return error | ({"description": told[-1]} if told else {})


def _verification(ingest: IngestRecord) -> dict[str, Any] | None:
    """Files that were read more than once: bad ones, and those that a later read found good."""
    if not ingest.bad_files and not ingest.doubted_files:
        return None
    return {
        "bad": ingest.bad_files,
        "doubted": ingest.doubted_files,
        "badFiles": [
            {
                "name": proof.path,
                "outcome": proof.outcome,
                "expected": dict(proof.expected),
                "measured": dict(proof.measured),
                "reason": proof.reason,
                "type": "BadFile",
            }
            for proof in ingest.worst
        ],
        "type": "Verification",
    }


def _events(ingest: IngestRecord) -> list[dict[str, Any]]:
    return [
        {"description": event.description, "createdDate": instant(event.created_at), "type": "IngestEvent"}
        for event in ingest.events
    ]
