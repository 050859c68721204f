"""What the OpenAPI document says about campaigns, and their examples."""

from __future__ import annotations

from typing import Any

from common.web.idempotency import TAKES_KEY

_EXAMPLE = {
    "type": "Backfill",
    "name": "azure-2026",
    "destination": {"id": "azure", "type": "Location"},
    "selection": {"missing": {"space": "digitised", "depositedBefore": "2020-01-01T00:00:00Z"}},
    "order": "oldest",
    "limits": {"bagsInFlight": 200, "bytesPerDay": 2_000_000_000_000},
    "expectedCount": 41_870,
}


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


_404 = {404: _said("There is no such campaign")}
_409 = {409: _said("The campaign is in a state in which this cannot be done; the description says which")}

CREATE: dict[str, Any] = {
    "status_code": 201,
    "summary": "Begin a campaign: many backfills to one destination; with dryRun, say what it would be about",
    "openapi_extra": {"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}, **TAKES_KEY},
}
LIST: dict[str, Any] = {
    "summary": "Campaigns, the newest first",
}
READ: dict[str, Any] = {
    "summary": "A campaign with its history, progress and pace",
}
FAILURES: dict[str, Any] = {
    "summary": "The bag versions whose ingests failed; as CSV all of them, to begin the next campaign with",
}
CHANGE: dict[str, Any] = {
    "summary": "Change priority or limits, also while it runs",
}


def _control(summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
    }


PAUSE = _control("Let nothing more in; what is under way goes on")
RESUME = _control("Let more in again")
CANCEL = _control("End it: what has not begun is cancelled, what is under way comes to its end")
RETRY = _control("Make new ingests for those that failed")
