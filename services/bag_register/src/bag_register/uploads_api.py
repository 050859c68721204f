"""The HTTP API for unfinished uploads: what stores keep, and bill, and nobody may ever finish."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from bag_register.surroundings import Surroundings
from common.ledger.engine import transaction
from common.ledger.locations import find_location
from common.ledger.uploads import Unfinished, unfinished
from common.web.answers import Refused, instant
from common.web.auth import Permission, needs

_MOST = 1000


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/uploads."""

    def uploads(
        location: str,
        after: str | None = None,
        after_upload: str = Query(default="", alias="afterUpload"),
        limit: int = Query(default=100, ge=1, le=_MOST),
    ) -> JSONResponse:
        behind = None if after is None else (after, after_upload)
        with transaction(around.engine) as connection:
            if find_location(connection, location) is None:
                raise Refused(
                    400, f'Invalid value at ?location: got "{location}", which no service is configured with.'
                )
            found = unfinished(connection, location_id=location, after=behind, limit=limit + 1)
        return JSONResponse(_document(location, found, limit))

    app.get(
        "/reports/uploads",
        summary="Uploads at a location that were neither committed nor aborted, as the last daily look found them",
        dependencies=[needs(Permission.BAGS_READ)],
    )(uploads)


def _document(location: str, found: list[Unfinished], limit: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "UploadsReport",
        "location": {"id": location, "type": "Location"},
        "results": [_upload(upload) for upload in found[:limit]],
    }
    if len(found) > limit:
        last = found[limit - 1]
        document["next"] = {"after": last.key, "afterUpload": last.upload_id}
    return document


def _upload(upload: Unfinished) -> dict[str, Any]:
    document = {
        "path": upload.key,
        "uploadId": upload.upload_id,
        "owner": upload.owner.value,
        "since": instant(upload.since),
        "abortedDate": instant(upload.aborted_at) if upload.aborted_at else None,
        "type": "UnfinishedUpload",
    }
    return {name: value for name, value in document.items() if value is not None}
