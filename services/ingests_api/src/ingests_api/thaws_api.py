"""What thawing would come to, what it has come to, and when it will be over."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from common.domain.ingest import IngestStatus
from common.domain.location import Location
from common.ledger.campaigns.records import find_campaign
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.ledger.thawing import asking, watching
from common.ledger.thawing.amounts import Lying, amount_of, lying_at
from common.ledger.thawing.watching import Watched
from common.thawing.costs import Amount
from common.thawing.expecting import expected, percent
from common.thawing.pricing import cost_fields
from common.web.answers import Refused, instant
from common.web.auth import Permission, needs
from common.web.thaw_costs import billed_document
from ingests_api.campaigns.request import bag_name
from ingests_api.surroundings import Surroundings


def add_thaws(app: FastAPI, around: Surroundings) -> None:
    """The estimate, and what became of it."""

    def told(
        location: str = Query(description="id of the location that would be thawed"),
        space: str | None = Query(default=None, min_length=1, description="only bags of this space"),
        bag: str | None = Query(default=None, description='only this one: "space/identifier" or "space/identifier/v2"'),
        to: str | None = Query(default=None, description="id of the location that it would be copied to"),
        tier: Literal["Expedited", "Standard", "Bulk"] | None = None,
        restored_days: int | None = Query(default=None, alias="restoredDays", ge=1, le=365),
    ) -> JSONResponse:
        source = _location(around, location, "location")
        destination = None if to is None else _location(around, to, "to")
        with transaction(around.engine) as connection:
            found = lying_at(connection, location_id=location, space=space, bag=_bag(bag))
        options = {"tier": tier, "restoredDays": restored_days}
        amount = Amount(found.objects, found.bytes)
        cost = around.offer.pricing.estimate(source, destination, amount, options)
        return JSONResponse(_document(location, found) | cost_fields(cost))

    app.get(
        "/thaws/estimate",
        summary="What thawing a bag, a space or a whole location would cost and take",
        dependencies=[needs(Permission.INGESTS_READ)],
    )(told)
    seen = [needs(Permission.INGESTS_READ)]

    def of_ingest(ingest_id: UUID) -> JSONResponse:
        return JSONResponse(_of_ingest(around, ingest_id))

    def of_campaign(campaign_id: UUID) -> JSONResponse:
        return JSONResponse(_of_campaign(around, campaign_id))

    app.get(
        "/ingests/{ingest_id}/thawing",
        summary="What an ingest's thaw was estimated to cost, what it has cost, and when it will be over",
        dependencies=seen,
    )(of_ingest)
    app.get("/backfills/{campaign_id}/thawing", summary="What a campaign's thaws have cost so far", dependencies=seen)(
        of_campaign
    )


def _document(location: str, found: Lying) -> dict[str, Any]:
    return {
        "type": "ThawEstimate",
        "location": {"id": location, "type": "Location"},
        "bags": found.bags,
        "objects": found.objects,
        "bytes": found.bytes,
    }


def _location(around: Surroundings, wanted: str, name: str) -> Location:
    known = around.offer.locations
    found = next((place for one, place in known.items() if one.value == wanted), None)
    if found is None:
        choices = ", ".join(sorted(map(str, known)))
        raise Refused(400, f'Invalid value at {name}: got "{wanted}", valid values are: {choices}.')
    return found


def _bag(text: str | None) -> tuple[str, str, int | None] | None:
    try:
        return None if text is None else bag_name(text)
    except ValueError as error:
        raise Refused(400, f"Invalid value at bag: {error}") from None


def _of_ingest(around: Surroundings, ingest_id: UUID) -> dict[str, Any]:
    with transaction(around.engine) as connection:
        ingest = find_ingest(connection, ingest_id)
        if ingest is None:
            raise Refused(404, f"Ingest {ingest_id} not found")
        bills = asking.billed(connection, ingest_id=ingest_id)
        seen = watching.watch(connection, ingest_id=ingest_id, location=ingest.source.id.value)
        registered = amount_of(connection, ingest_id=ingest_id)
    # Before it is planned, the register knows how much it is.
    whole, done = ingest.progress.planned if ingest.progress.planned.files else registered, ingest.progress.verified
    cost = around.offer.pricing.estimate(
        ingest.source, ingest.destination, Amount(whole.files, whole.bytes), ingest.options
    )
    return {
        "type": "IngestThawing",
        "ingest": str(ingest_id),
        "estimate": cost_fields(cost),
        "actual": billed_document(bills),
        "progress": {
            "objects": done.files,
            "ofObjects": whole.files,
            "bytes": done.bytes,
            "ofBytes": whole.bytes,
            "percent": percent(done=done.bytes, whole=whole.bytes, finished=ingest.status is IngestStatus.SUCCEEDED),
        },
        "waiting": {"parts": seen.waiting, "reason": seen.why} if seen.waiting else None,
        "expectedDate": None if ingest.status.terminal else _expected(seen, whole.bytes - done.bytes),
    }


def _expected(seen: Watched, left: int) -> str | None:
    moment = expected(now=seen.now, thawing=seen.thawing, observed=seen.observed, left=left, rate=seen.rate)
    return None if moment is None else instant(moment)


def _of_campaign(around: Surroundings, campaign_id: UUID) -> dict[str, Any]:
    with transaction(around.engine) as connection:
        if find_campaign(connection, campaign_id) is None:
            raise Refused(404, f"Backfill {campaign_id} not found")
        bills = asking.billed_to_campaign(connection, campaign_id=campaign_id)
    return {"type": "BackfillThawing", "backfill": str(campaign_id), "actual": billed_document(bills)}
