"""The health routes of the HTTP services."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import Engine, text

from common.errors import LedgerUnavailable
from common.ledger.engine import transaction
from common.web.auth import open_to_all


def add_health(app: FastAPI, *, engine: Engine) -> None:
    """/livez: the process answers. /readyz: the ledger answers as well. /management/healthcheck: for old probes."""

    @app.get("/livez", include_in_schema=False, dependencies=[open_to_all(unlimited=True)])
    def livez() -> JSONResponse:
        return JSONResponse({"status": "ok", "problems": {}})

    @app.get("/readyz", include_in_schema=False, dependencies=[open_to_all(unlimited=True)])
    def readyz() -> JSONResponse:
        try:
            with transaction(engine) as connection:
                connection.execute(text("SELECT 1"))
        except LedgerUnavailable as error:
            return JSONResponse({"status": "unavailable", "problems": {"ledger": str(error)}}, status_code=503)
        return JSONResponse({"status": "ok", "problems": {}})

    @app.get("/management/healthcheck", include_in_schema=False, dependencies=[open_to_all(unlimited=True)])
    def healthcheck() -> PlainTextResponse:
        return PlainTextResponse("ok")
