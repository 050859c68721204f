"""GET /reports/cold: what lies in which storage class, and what of it can be read or is being brought back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse

from bag_register.reports.asked import known_location
from bag_register.surroundings import Surroundings
from common.ledger.cold.counting import ClassAmount, lying
from common.ledger.engine import snapshot
from common.web.answers import instant
from common.web.auth import Permission, needs

COLUMNS = (
    "location", "space", "storage_class", "archived", "bags", "files", "bytes", "restoring_files", "restoring_bytes",
    "restored_files", "restored_bytes", "seen_from", "seen_to",
)  # fmt: skip
_MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/cold."""

    def cold(
        location: str | None = None,
        space: str | None = None,
        by: Literal["location", "space"] = Query(default="location", description="a line for each space where `space`"),
        form: Literal["json", "csv", "ndjson"] = Query(default="json", alias="format"),
    ) -> Response:
        wanted = None if location is None else known_location(around, location)
        with snapshot(around.engine) as connection:
            found = lying(connection, location=wanted, space=space, by_space=by == "space")
        if form == "json":
            return JSONResponse(_report(found, at=datetime.now(UTC)))
        headers = {"Content-Disposition": f'attachment; filename="cold.{form}"'}
        return Response(_csv(found) if form == "csv" else _ndjson(found), media_type=_MEDIA[form], headers=headers)

    app.get(
        "/reports/cold",
        summary="How many bag versions, files and bytes lie in which storage class of every location, and since when",
        dependencies=[needs(Permission.BAGS_READ)],
    )(cold)


def _report(found: Sequence[ClassAmount], *, at: datetime) -> dict[str, Any]:
    return {"type": "ColdReport", "date": instant(at), "results": [_document(amount) for amount in found]}


def _document(amount: ClassAmount) -> dict[str, Any]:
    document = {
        "location": amount.location,
        "space": amount.space,
        "storageClass": amount.storage_class,
        "archived": amount.archived,
        "bagVersions": amount.bags,
        "files": amount.files,
        "bytes": amount.bytes,
        "restoring": {"files": amount.restoring_files, "bytes": amount.restoring_bytes},
        "restored": {"files": amount.restored_files, "bytes": amount.restored_bytes},
        "seenFrom": amount.seen_from and amount.seen_from.isoformat(),
        "seenTo": amount.seen_to and amount.seen_to.isoformat(),
        "type": "StorageClassAmount",
    }
    return {name: value for name, value in document.items() if value is not None}


def _csv(found: Sequence[ClassAmount]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    lines.writerows([_cell(getattr(amount, column)) for column in COLUMNS] for amount in found)
    return text.getvalue()


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _ndjson(found: Sequence[ClassAmount]) -> str:
    return "".join(json.dumps(_document(amount), ensure_ascii=False) + "\n" for amount in found)
