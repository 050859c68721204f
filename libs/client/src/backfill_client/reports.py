"""Reports: which bags a location lacks, and how the whole archive stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from backfill_client.models import Answer
from backfill_client.transport import Transport


class UnbackfilledBag(Answer):
    """A bag version that is not registered at a location."""

    space: str
    external_identifier: str
    version: str
    state: str
    """missing, in progress, waiting for thaw, stalled, failed, not required, listed, verified or damaged."""
    stage: str | None = None
    code: str | None = None
    ingest_id: str | None = None
    evidence: str | None = None
    """What a registered copy rests on, E0 to E4."""
    files: int
    bytes: int


class UnbackfilledTotals(Answer):
    bag_versions: int
    files: int
    bytes: int
    missing: int
    in_progress: int
    waiting_for_thaw: int = 0
    stalled: int = 0
    failed: int
    not_required: int = 0
    listed: int = 0
    verified: int = 0
    damaged: int = 0


class CoverageAmount(Answer):
    """So many bag versions, and what they come to."""

    bag_versions: int
    files: int
    bytes: int


class CoveragePlace(Answer):
    """A location, of one space or of all."""

    id: str
    required: bool | None = None
    """None: of all spaces together."""
    states: dict[str, CoverageAmount]
    """By state: verified, listed, damaged, inProgress, waitingForThaw, stalled, failed, missing, notRequired."""


class CoverageSpace(CoverageAmount):
    """How a space stands."""

    id: str
    health: str
    """HEALTHY, DEGRADED or AT RISK."""
    at_risk: int
    locations: list[CoveragePlace]


class Coverage(CoverageAmount):
    """How the whole archive stands."""

    date: datetime
    health: str
    at_risk: int
    """Bag versions with fewer than two copies, or none that was read back."""
    locations: list[CoveragePlace]
    spaces: list[CoverageSpace]


class Restored(Answer):
    """Objects of an archive class that are being brought back, or can be read for now."""

    files: int
    bytes: int


class ClassAmount(CoverageAmount):
    """What of a location lies in a storage class."""

    location: str
    space: str | None = None
    """None: of all the spaces that were asked for."""
    storage_class: str
    """As the provider names it; "unknown" where nobody has listed the copies since they are registered."""
    archived: bool
    """Whether its objects have to be brought back before they can be read."""
    restoring: Restored
    restored: Restored
    seen_from: date | None = None
    """The day of the oldest list that says so."""
    seen_to: date | None = None


class ColdReport(Answer):
    """What lies in which storage class."""

    date: datetime
    results: list[ClassAmount]


class UnbackfilledPage(Answer):
    """A page of what is missing at a location."""

    totals: UnbackfilledTotals
    """Of the whole report."""
    results: list[UnbackfilledBag]
    next: str | None = None


class UnfinishedUpload(Answer):
    """An upload that was neither committed nor aborted: a store keeps its parts, and bills them."""

    path: str
    """The object's key."""
    upload_id: str
    owner: str
    """live: work goes on with it; abandoned: nobody ever will; unknown: not known to be ours."""
    since: datetime
    aborted_date: datetime | None = None


class Reports:
    """`client.reports`. All methods raise ApiUnreachable and ApiRefused."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def unbackfilled_page(
        self,
        location: str,
        *,
        space: str | None = None,
        states: Sequence[str] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> UnbackfilledPage:
        """A page of the bag versions that a location lacks, or of those in the given states."""
        params = {"location": location, "space": space, "state": list(states), "after": after, "limit": limit}
        return UnbackfilledPage.model_validate(self._http.get("/reports/unbackfilled", params))

    def unbackfilled(
        self, location: str, *, space: str | None = None, states: Sequence[str] = ()
    ) -> Iterator[UnbackfilledBag]:
        """All of them, page after page."""
        after: str | None = None
        while True:
            page = self.unbackfilled_page(location, space=space, states=states, after=after, limit=1000)
            yield from page.results
            if page.next is None:
                return
            after = page.next

    def coverage(self, *, space: str | None = None) -> Coverage:
        """How many bag versions of each space every location has, lacks or works on."""
        return Coverage.model_validate(self._http.get("/reports/coverage", {"space": space}))

    def cold(self, *, location: str | None = None, space: str | None = None, by_space: bool = False) -> ColdReport:
        """What lies in which storage class of every location, or of one; a line for each space with `by_space`."""
        params = {"location": location, "space": space, "by": "space" if by_space else "location"}
        return ColdReport.model_validate(self._http.get("/reports/cold", params))

    def uploads(self, location: str) -> Iterator[UnfinishedUpload]:
        """All unfinished uploads at a location, as the last daily look found them; page after page."""
        asked: dict[str, Any] = {"location": location, "limit": 1000}
        while True:
            page = self._http.get("/reports/uploads", asked)
            yield from (UnfinishedUpload.model_validate(one) for one in page["results"])
            if "next" not in page:
                return
            asked |= page["next"]

    def digest(self, *, hours: int = 24) -> dict[str, Any]:
        """What happened in the last hours, how everything stands, and what waits for somebody."""
        found: dict[str, Any] = self._http.get("/reports/digest", {"hours": hours})
        return found

    def digest_text(self, *, hours: int = 24, form: str = "md") -> str:
        """The same as a page: "md" or "html"."""
        return self._http.text("/reports/digest", {"hours": hours, "format": form})
