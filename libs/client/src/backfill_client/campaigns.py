"""Campaigns: their models, and what can be done with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from backfill_client.errors import BackfillClientError
from backfill_client.models import Answer, Wrapped
from backfill_client.streams import Streams
from backfill_client.thaws import Cost
from backfill_client.transport import Transport


class Part(Answer):
    """How much of a campaign."""

    bags: int = 0
    files: int = 0
    bytes: int = 0


class CampaignProgress(Answer):
    """Confirmed facts; they only grow."""

    selected: Part = Part()
    succeeded: Part = Part()
    failed: Part = Part()
    already_there: Part = Part()
    under_way: Part = Part()
    waiting: Part = Part()


class Pace(Answer):
    """How the campaign moves at the moment."""

    last_hour: Part = Part()
    remaining_seconds: int | None = None
    expected_date: datetime | None = None


class CampaignEvent(Answer):
    """One sentence of a campaign's history."""

    description: str
    by: str | None = None
    created_date: datetime


class Campaign(Answer):
    """Many backfills to one destination."""

    id: str
    name: str = ""
    state: Wrapped
    paused: bool = False
    destination: Wrapped
    selection: dict[str, Any] = Field(default_factory=dict)
    order: str
    priority: int
    limits: dict[str, int] = Field(default_factory=dict)
    progress: CampaignProgress
    pace: Pace | None = None
    reason: str | None = None
    created_by: str
    created_date: datetime
    finished_date: datetime | None = None
    events: list[CampaignEvent] = Field(default_factory=list)

    @property
    def finished(self) -> bool:
        return self.finished_date is not None


class CampaignPreview(Answer):
    """What a campaign would be about."""

    destination: Wrapped
    would_create: Part
    first: list[str] = Field(default_factory=list)
    cost: Cost | None = None
    """Of copying all of it; None where that is not known, and `cost_reason` says why."""
    cost_reason: str | None = None


class CampaignFailure(Answer):
    """A bag version whose ingest failed."""

    space: str
    external_identifier: str
    version: str
    ingest_id: str
    code: str | None = None
    reason: str = ""
    files: int = 0
    bytes: int = 0


class CampaignPage(Answer):
    results: list[Campaign] = Field(default_factory=list)
    next: str | None = None


class FailurePage(Answer):
    results: list[CampaignFailure] = Field(default_factory=list)
    next: str | None = None


class Campaigns:
    """`client.campaigns`. All methods raise ApiUnreachable and ApiRefused."""

    def __init__(
        self, transport: Transport, *, streams: Streams | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = transport
        self._streams = streams
        self._sleep = sleep

    def preview(self, request: Mapping[str, Any]) -> CampaignPreview:
        """What the campaign would be about; nothing is created. `request` as POST /backfills takes it."""
        return CampaignPreview.model_validate(self._http.post("/backfills?dryRun=true", request))

    def start(self, request: Mapping[str, Any]) -> Campaign:
        return Campaign.model_validate(self._http.create("/backfills", request))

    def get(self, campaign_id: str) -> Campaign:
        return Campaign.model_validate(self._http.get(_address(campaign_id)))

    def watch(self, campaign_id: str, *, every: float = 5) -> Iterator[Campaign]:
        """The campaign, again every few seconds while something happens, until it has finished; the last one is."""
        for _ in self._looks(campaign_id, every=every):
            campaign = self.get(campaign_id)
            yield campaign
            if campaign.finished:
                return

    def _looks(self, campaign_id: str, *, every: float) -> Iterator[None]:
        """When to look at a campaign: when it or its ingests say so; where that is not told, every few seconds."""
        yield
        try:
            last = time.monotonic()
            for news in self._streams.pulse(f"{_address(campaign_id)}/events") if self._streams else ():
                if news is None or news.ingest_id is None or time.monotonic() - last >= every:
                    yield
                    last = time.monotonic()
        except BackfillClientError:
            pass
        while True:
            self._sleep(every)
            yield

    def page(self, *, after: str | None = None, limit: int = 20, only_open: bool = False) -> CampaignPage:
        """Campaigns, the newest first."""
        params = {"after": after, "limit": limit, "open": "true" if only_open else None}
        return CampaignPage.model_validate(self._http.get("/backfills", params))

    def failures(self, campaign_id: str) -> Iterator[CampaignFailure]:
        """All of them, page after page."""
        after: str | None = None
        while True:
            params = {"after": after, "limit": 1000}
            page = FailurePage.model_validate(self._http.get(f"{_address(campaign_id)}/failures", params))
            yield from page.results
            if page.next is None:
                return
            after = page.next

    def change(self, campaign_id: str, changes: Mapping[str, Any]) -> Campaign:
        """Another priority, other limits: `{"priority": 5, "limits": {"bagsInFlight": 10}}`."""
        return Campaign.model_validate(self._http.patch(_address(campaign_id), changes))

    def pause(self, campaign_id: str, *, reason: str = "") -> Campaign:
        return self._act(campaign_id, "pause", reason)

    def resume(self, campaign_id: str, *, reason: str = "") -> Campaign:
        return self._act(campaign_id, "resume", reason)

    def cancel(self, campaign_id: str, *, reason: str = "") -> Campaign:
        """What has not begun is cancelled, what is under way comes to its end."""
        return self._act(campaign_id, "cancel", reason)

    def retry(self, campaign_id: str, *, reason: str = "") -> Campaign:
        """New ingests for those that failed."""
        return self._act(campaign_id, "retry", reason)

    def _act(self, campaign_id: str, action: str, reason: str) -> Campaign:
        return Campaign.model_validate(self._http.post(f"{_address(campaign_id)}/{action}", {"reason": reason}))


def _address(campaign_id: str) -> str:
    return f"/backfills/{quote(campaign_id, safe='')}"
