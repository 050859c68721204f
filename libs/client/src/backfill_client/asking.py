"""Asking for copies of bags: what a request can say, and what it would come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from backfill_client.models import Answer, Ingest, Location
from backfill_client.thaws import Cost
from backfill_client.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request for copies of a bag."""

    space: str
    external_identifier: str
    version: str | None = None
    """Such as "v2", "latest" or "all"; the latest where None."""
    destinations: tuple[str, ...] = ()
    """Ids of locations; may be left out where there is only one."""
    source: str | None = None
    tier: str | None = None
    restored_days: int | None = None
    priority: int | None = None
    """0 to 100; higher goes first."""
    deadline: datetime | None = None
    client_tag: str | None = None
    callback_url: str | None = None

    @property
    def several(self) -> bool:
        """Whether it may come to more than one ingest."""
        return self.version == "all" or len(self.destinations) > 1

    def document(self) -> dict[str, Any]:
        """As the API takes it."""
        info = {"type": "BagInfo", "externalIdentifier": self.external_identifier, "version": self.version}
        places = [{"id": one, "type": "Location"} for one in self.destinations]
        options = {
            "tier": self.tier,
            "restoredDays": self.restored_days,
            "priority": self.priority,
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "clientTag": self.client_tag,
        }
        return _given(
            {
                "type": "Ingest",
                "ingestType": {"id": "backfill", "type": "IngestType"},
                "space": {"id": self.space, "type": "Space"},
                "bag": {"type": "Bag", "info": _given(info)},
                "sourceLocation": {"id": self.source, "type": "Location"} if self.source else None,
                "destination": places[0] if len(places) == 1 else None,
                "destinations": places if len(places) > 1 else None,
                "options": _given(options) or None,
                "callback": {"type": "Callback", "url": self.callback_url} if self.callback_url else None,
            }
        )


class Estimate(Answer):
    """What would be created."""

    ingests: int
    objects: int
    bytes: int


class DryRunResult(Answer):
    """What one copy would come to."""

    would: str
    said: str
    external_identifier: str
    version: str
    destination: Location
    objects: int
    bytes: int


class DryRun(Answer):
    """What a request would come to; nothing was done."""

    would_create: Estimate
    results: list[DryRunResult]
    cost: Cost | None = None
    cost_reason: str | None = None


class CallbackAttempt(Answer):
    """One delivery."""

    round: int
    number: int
    started_date: datetime
    milliseconds: int | None = None
    http_status: int | None = None
    error: str | None = None
    code: str | None = None
    """Of the error: a heading of the reference of error codes."""


class CallbackRecord(Answer):
    """A callback, with everything that was tried."""

    url: str
    status: dict[str, str]
    next_attempt: datetime | None = None
    last_error: str | None = None
    last_error_code: str | None = None
    attempts: list[CallbackAttempt]


class Asking:
    """The requests of those who want copies."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def create(self, wish: Wish, *, key: str | None = None) -> list[Ingest]:
        """Ask for the copies, or get the ingests that make them already.

        `key` (Idempotency-Key): the same key gets the same answer; a fresh one where None, so that a request whose
        answer was lost is safely sent again.
        """
        answer = self._http.post("/ingests", wish.document(), key=key or str(uuid4()))
        found = answer["results"] if answer.get("type") == "ResultList" else [answer]
        return [Ingest.model_validate(one) for one in found]

    def preview(self, wish: Wish) -> DryRun:
        """What it would come to."""
        return DryRun.model_validate(self._http.post("/ingests?dryRun=true", wish.document()))

    def callbacks(self, ingest_id: str) -> list[CallbackRecord]:
        """What was sent when, and what came of it."""
        return _records(self._http.get(f"/ingests/{quote(ingest_id, safe='')}/callbacks"))

    def replay(self, ingest_id: str) -> list[CallbackRecord]:
        """Send the callback again."""
        return _records(self._http.post(f"/ingests/{quote(ingest_id, safe='')}/callback/replay", {}))


def _records(document: Any) -> list[CallbackRecord]:
    return [CallbackRecord.model_validate(one) for one in document["results"]]


def _given(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
