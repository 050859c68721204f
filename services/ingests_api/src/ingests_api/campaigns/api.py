"""The HTTP API for campaigns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sqlalchemy import Connection, func, select

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.ledger import actions
from common.ledger.campaigns import controlling, events, records
from common.ledger.campaigns.controlling import WrongState
from common.ledger.campaigns.records import CampaignRecord, Failure
from common.ledger.engine import transaction
from common.ledger.idempotency import Kept
from common.web.answers import Refused, base_url
from common.web.auth import Permission, caller, needs
from common.web.idempotency import answered_once, kept_document, key_of
from ingests_api.campaigns import openapi
from ingests_api.campaigns.choosing import Chosen, chosen
from ingests_api.campaigns.costing import cost_of
from ingests_api.campaigns.cursors import bag_cursor, campaign_cursor, cursor_text
from ingests_api.campaigns.documents import campaign_document, failure_document, preview_document
from ingests_api.campaigns.request import CampaignRequest, Change, Reason
from ingests_api.surroundings import Surroundings

_MOST = 1000
_FAILURE_COLUMNS = ("space", "external_identifier", "version", "ingest_id", "code", "reason", "files", "bytes")


def add_campaigns(app: FastAPI, around: Surroundings) -> None:
    """/backfills and everything below it."""
    routes = Routes(around)
    read, write = [needs(Permission.INGESTS_READ)], [needs(Permission.INGESTS_WRITE)]
    app.post("/backfills", **openapi.CREATE, dependencies=write)(routes.create)
    app.get("/backfills", **openapi.LIST, dependencies=read)(routes.page)
    app.get("/backfills/{campaign_id}", **openapi.READ, dependencies=read)(routes.read)
    app.get("/backfills/{campaign_id}/failures", **openapi.FAILURES, dependencies=read)(routes.failures)
    app.patch("/backfills/{campaign_id}", **openapi.CHANGE, dependencies=write)(routes.change)
    app.post("/backfills/{campaign_id}/pause", **openapi.PAUSE, dependencies=write)(routes.pause)
    app.post("/backfills/{campaign_id}/resume", **openapi.RESUME, dependencies=write)(routes.resume)
    app.post("/backfills/{campaign_id}/cancel", **openapi.CANCEL, dependencies=write)(routes.cancel)
    app.post("/backfills/{campaign_id}/retry", **openapi.RETRY, dependencies=write)(routes.retry)


class Routes:
    """One method for each route."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def create(
        self, request: Request, wanted: CampaignRequest, dry_run: bool = Query(default=False, alias="dryRun")
    ) -> Response:
        key_of(request)
        with transaction(self._around.engine) as connection:
            choice = chosen(connection, wanted, offer=self._around.offer, read=self._around.read_object)
            if dry_run:
                return JSONResponse(self._preview(connection, choice))
            body = wanted.model_dump(mode="json", by_alias=True)
            return answered_once(connection, request, body, lambda: self._begin(connection, request, choice))

    def _preview(self, connection: Connection, choice: Chosen) -> dict[str, Any]:
        offer = self._around.offer
        loads = choice.weigh(connection, warm=[one.value for one in offer.warm])
        return preview_document(
            choice.preview(connection),
            destination=choice.destination,
            expected=choice.wanted.expected_count,
            cost=cost_of(loads, destination=LocationId(choice.destination), options=choice.options, offer=offer),
        )

    def _begin(self, connection: Connection, request: Request, choice: Chosen) -> Kept:
        campaign_id = self._around.new_id()
        controlling.begin(connection, choice.campaign(campaign_id, actor=caller(request).id))
        self._record(connection, request, "campaign created", campaign_id, detail={"name": choice.wanted.name})
        document = _document(connection, _found(connection, campaign_id))
        return kept_document(201, document, location=self._address(request, campaign_id))

    def page(
        self,
        after: str | None = None,
        limit: int = Query(default=20, ge=1, le=100),
        only_open: bool = Query(default=False, alias="open"),
    ) -> JSONResponse:
        with transaction(self._around.engine) as connection:
            before = campaign_cursor(after)
            found = records.list_campaigns(connection, before=before, limit=limit + 1, only_open=only_open)
        page = found[:limit]
        document: dict[str, Any] = {"type": "BackfillList", "results": [campaign_document(one) for one in page]}
        return JSONResponse(document | ({"next": cursor_text(page[-1])} if len(found) > limit else {}))

    def read(self, campaign_id: UUID) -> JSONResponse:
        with transaction(self._around.engine) as connection:
            document = _document(connection, _found(connection, campaign_id))
        return JSONResponse(document, headers={"Cache-Control": "no-cache"})

    def failures(
        self,
        campaign_id: UUID,
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
        form: Literal["json", "csv"] = Query(default="json", alias="format"),
    ) -> Response:
        behind = bag_cursor(after)
        with transaction(self._around.engine) as connection:
            _found(connection, campaign_id)
        if form == "csv":
            headers = {"Content-Disposition": f'attachment; filename="failures-{campaign_id}.csv"'}
            rows = self._csv(campaign_id, behind)
            return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
        found = self._failures(campaign_id, behind, limit + 1)
        page = found[:limit]
        document: dict[str, Any] = {"type": "FailureList", "results": [failure_document(one) for one in page]}
        return JSONResponse(document | ({"next": page[-1].bag.path} if len(found) > limit else {}))

    def _failures(self, campaign_id: UUID, behind: BagVersion | None, limit: int) -> list[Failure]:
        with transaction(self._around.engine) as connection:
            return records.failures(connection, campaign_id, after=behind, limit=limit)

    def _csv(self, campaign_id: UUID, behind: BagVersion | None) -> Iterator[str]:
        """A transaction for each page, so that a slow reader holds none."""
        yield _line(_FAILURE_COLUMNS)
        while page := self._failures(campaign_id, behind, _MOST):
            for one in page:
                bag = one.bag
                named = (bag.space.value, bag.external_identifier.value, str(bag.version))
                yield _line((*named, one.ingest_id, one.code, one.reason, one.files, one.bytes))
            behind = page[-1].bag

    def change(self, request: Request, campaign_id: UUID, wanted: Change) -> JSONResponse:
        values, said = _changes(wanted)
        if not values:
            raise Refused(400, "Nothing to change: give priority or limits.")
        return self._act(
            request,
            campaign_id,
            "campaign changed",
            lambda connection, actor: controlling.change(
                connection, campaign_id, values=values, said=said, actor=actor
            ),
            why=said,
        )

    def pause(self, request: Request, campaign_id: UUID, why: Reason | None = None) -> JSONResponse:
        return self._control(request, campaign_id, "campaign paused", controlling.pause, why)

    def resume(self, request: Request, campaign_id: UUID, why: Reason | None = None) -> JSONResponse:
        return self._control(request, campaign_id, "campaign resumed", controlling.resume, why)

    def cancel(self, request: Request, campaign_id: UUID, why: Reason | None = None) -> JSONResponse:
        return self._control(request, campaign_id, "campaign cancelled", controlling.cancel, why)

    def retry(self, request: Request, campaign_id: UUID, why: Reason | None = None) -> JSONResponse:
        return self._control(request, campaign_id, "campaign retried", controlling.retry, why)

    def _control(
        self, request: Request, campaign_id: UUID, what: str, action: Callable[..., object], why: Reason | None
    ) -> JSONResponse:
        reason = why.reason if why else ""
        return self._act(
            request,
            campaign_id,
            what,
            lambda connection, actor: action(connection, campaign_id, actor=actor, reason=reason),
            why=reason,
        )

    def _act(
        self,
        request: Request,
        campaign_id: UUID,
        what: str,
        action: Callable[[Connection, str], object],
        *,
        why: str,
    ) -> JSONResponse:
        try:
            with transaction(self._around.engine) as connection:
                action(connection, caller(request).id)
                self._record(connection, request, what, campaign_id, why=why)
                document = _document(connection, _found(connection, campaign_id))
        except LookupError:
            raise _unknown(campaign_id) from None
        except WrongState as error:
            raise Refused(409, f"Backfill {campaign_id} {error}.") from None
        return JSONResponse(document)

    def _record(
        self, connection: Connection, request: Request, what: str, campaign_id: UUID, *, why: str = "", **more: Any
    ) -> None:
        actions.record(
            connection, who=caller(request).id, what=what, subject=f"campaign:{campaign_id}", why=why, **more
        )

    def _address(self, request: Request, campaign_id: UUID) -> str:
        return f"{base_url(self._around.public_url, request)}/backfills/{campaign_id}"


def _found(connection: Connection, campaign_id: UUID) -> CampaignRecord:
    found = records.find_campaign(connection, campaign_id)
    if found is None:
        raise _unknown(campaign_id)
    return found


def _unknown(campaign_id: UUID) -> Refused:
    return Refused(404, f"Backfill {campaign_id} not found")


def _document(connection: Connection, campaign: CampaignRecord) -> dict[str, Any]:
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return campaign_document(
        campaign,
        events=events.history(connection, campaign.id),
        pace=records.pace(connection, campaign),
        now=now.astimezone(UTC),
    )


def _changes(wanted: Change) -> tuple[dict[str, Any], str]:
    values: dict[str, Any] = {}
    if wanted.priority is not None:
        values["priority"] = wanted.priority
    if wanted.limits is not None:
        given = wanted.limits.model_fields_set
        values |= {name: getattr(wanted.limits, name) for name in given}
    return values, "Changed " + ", ".join(f"{name.replace('_', ' ')} to {value}" for name, value in values.items())


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
