"""What the API says of thawing and its cost."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backfill_client.transport import Transport


class Wire(BaseModel):
    """A document in camel case; what is not known is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class TierCost(Wire):
    """Thawing at one tier; money as text."""

    tier: str
    total: str
    retrieval: str
    requests: str
    readable_copies: str
    within_seconds: int
    exceeds: list[str] = Field(default_factory=list)


class Cost(Wire):
    currency: str
    total: str
    region: str | None = None
    restored_days: int | None = None
    requests: int
    thawing: list[TierCost] = Field(default_factory=list)
    reading: str | None = None
    egress: str | None = None
    unverified: list[str] = Field(default_factory=list)
    unknown: list[str] = Field(default_factory=list)


class ThawEstimate(Wire):
    """What lies somewhere, and what thawing it would cost."""

    bags: int
    objects: int
    bytes: int
    cost: Cost | None = None
    cost_reason: str | None = None


class Money(Wire):
    currency: str
    total: str


class Restored(Wire):
    storage_class: str
    tier: str
    days: int | None = None
    extension: bool
    objects: int
    bytes: int
    cost: str


class Billed(Wire):
    """What was really asked of the stores."""

    costs: list[Money]
    complete: bool
    restores: list[Restored]


class Estimated(Wire):
    cost: Cost | None = None
    cost_reason: str | None = None


class ThawProgress(Wire):
    objects: int
    of_objects: int
    bytes: int
    of_bytes: int
    percent: int


class Waiting(Wire):
    parts: int
    reason: str


class ThawState(Wire):
    """Of an ingest or a campaign; a campaign has only what was asked for."""

    actual: Billed
    estimate: Estimated | None = None
    progress: ThawProgress | None = None
    waiting: Waiting | None = None
    expected_date: str | None = None


class Thaws:
    """GET /thaws/estimate and the thawing of ingests and campaigns."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def estimate(
        self,
        location: str,
        *,
        space: str | None = None,
        bag: str | None = None,
        to: str | None = None,
        tier: str | None = None,
        restored_days: int | None = None,
    ) -> ThawEstimate:
        """Of a bag ("digitised/b12345"), a space, or all that lies at the location; `to`: where it would be copied."""
        wanted = {"location": location, "space": space, "bag": bag, "to": to, "tier": tier}
        found = self._http.get("/thaws/estimate", {**wanted, "restoredDays": restored_days})
        return ThawEstimate.model_validate(found)

    def of_ingest(self, ingest_id: str) -> ThawState:
        return ThawState.model_validate(self._http.get(f"/ingests/{quote(ingest_id, safe='')}/thawing"))

    def of_campaign(self, campaign_id: str) -> ThawState:
        return ThawState.model_validate(self._http.get(f"/backfills/{quote(campaign_id, safe='')}/thawing"))
