"""GET /reports/digest: the digest of the last hours, at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from bag_register.digest import rendering
from bag_register.surroundings import Surroundings
from common.ledger.digests import digest
from common.ledger.engine import snapshot
from common.web.auth import Permission, needs
from common.web.contract import Answer, Said
from common.web.shapes import COUNT, MOMENT, TEXT, items, ref, shape, typed


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/digest."""

    def last_hours(
        hours: int = Query(default=24, ge=1, le=24 * 31),
        form: Literal["json", "md", "html"] = Query(default="json", alias="format"),
    ) -> Response:
        until = datetime.now(UTC)
        with snapshot(around.engine) as connection:
            found = digest(connection, since=until - timedelta(hours=hours), until=until)
        if form == "md":
            return PlainTextResponse(rendering.markdown(found), media_type="text/markdown; charset=utf-8")
        if form == "html":
            return HTMLResponse(rendering.html(found))
        return JSONResponse(rendering.document(found))

    app.get(
        "/reports/digest",
        summary="What happened in the last hours, how everything stands, and what waits for somebody",
        dependencies=[needs(Permission.BAGS_READ)],
    )(last_hours)


_NUMBERS: dict[str, Any] = {"type": "object", "additionalProperties": COUNT}
_DIGEST = typed(
    "Digest",
    [
        "since",
        "until",
        "attention",
        "ingests",
        "stalled",
        "deadLetters",
        "campaigns",
        "checks",
        "overdueCopies",
        "coverage",
    ],
    since=MOMENT,
    until=MOMENT,
    attention=items(TEXT),
    ingests=shape(["succeeded", "failed", "running"], succeeded=COUNT, failed=_NUMBERS, running=COUNT),
    stalled=COUNT,
    deadLetters=COUNT,
    campaigns=items(TEXT),
    checks=_NUMBERS,
    overdueCopies=COUNT,
    coverage=ref("CoverageReport"),
)
_EXAMPLE = {
    "type": "Digest",
    "since": "2026-01-30T06:00:00.000000Z",
    "until": "2026-01-31T06:00:00.000000Z",
    "attention": ["2 ingests that failed"],
    "ingests": {"succeeded": 412, "failed": {"source_vanished": 2}, "running": 3},
    "stalled": 0,
    "deadLetters": 0,
    "campaigns": ["azure-2026"],
    "checks": {"good": 40},
    "overdueCopies": 0,
    "coverage": {
        "type": "CoverageReport",
        "date": "2026-01-31T06:00:00.000000Z",
        "health": "HEALTHY",
        "bagVersions": 0,
        "files": 0,
        "bytes": 0,
        "atRisk": 0,
        "locations": [],
        "spaces": [],
    },
}
SCHEMAS: dict[str, Any] = {"Digest": _DIGEST}
OPERATIONS = {
    "GET /reports/digest": Said(
        {
            200: Answer(
                "The digest",
                ref("Digest"),
                _EXAMPLE,
                more={
                    "text/markdown": {"type": "string", "examples": ["# Backfill, 2026-01-30 06:00 to …\n"]},
                    "text/html": {"type": "string", "examples": ["<!doctype html>…"]},
                },
            )
        },
        {"hours": 24, "format": "json"},
    )
}
