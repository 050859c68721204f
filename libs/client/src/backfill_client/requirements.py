"""Requirements: which locations must hold which bags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backfill_client.campaigns import Part
from backfill_client.models import Answer, Wrapped
from backfill_client.transport import Transport


class Healing(Answer):
    """How an audit makes good what is missing."""

    at_most: int
    bags_in_flight: int


class Audit(Answer):
    """What the last audit found."""

    date: datetime
    missing: Part = Part()
    failed: Part = Part()


class Requirement(Answer):
    """A location that must hold every bag of a space, or of all."""

    id: int
    location: Wrapped
    space: Wrapped | None = None
    healing: Healing | None = None
    last_audit: Audit | None = None
    last_campaign: str | None = None
    created_by: str
    created_date: datetime


class RequirementPreview(Answer):
    """What requiring a location would mean now."""

    would: str
    """create or change."""
    missing: Part = Part()
    campaigns: Part | None = None
    """How many bag versions the first campaign of an audit would copy; None without healing."""


class Requirements:
    """`client.requirements`. All methods raise ApiUnreachable and ApiRefused."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def every(self) -> list[Requirement]:
        return [Requirement.model_validate(one) for one in self._http.get("/requirements")["results"]]

    def state(
        self,
        location: str,
        *,
        space: str | None = None,
        heal_at_most: int | None = None,
        bags_in_flight: int = 50,
    ) -> Requirement:
        """Require the location. `heal_at_most`: let audits begin campaigns of so many bag versions by themselves."""
        document = _document(location, space, heal_at_most, bags_in_flight)
        return Requirement.model_validate(self._http.create("/requirements", document))

    def preview(
        self, location: str, *, space: str | None = None, heal_at_most: int | None = None
    ) -> RequirementPreview:
        """What requiring the location would mean now; nothing is stated."""
        document = _document(location, space, heal_at_most, 50)
        return RequirementPreview.model_validate(self._http.post("/requirements?dryRun=true", document))

    def take_back(self, requirement_id: int) -> None:
        self._http.delete(f"/requirements/{requirement_id}")


def _document(location: str, space: str | None, heal_at_most: int | None, bags_in_flight: int) -> dict[str, Any]:
    document: dict[str, Any] = {"location": {"id": location}}
    if space is not None:
        document["space"] = {"id": space}
    if heal_at_most is not None:
        document["healing"] = {"atMost": heal_at_most, "bagsInFlight": bags_in_flight}
    return document
