"""The shape of every answer that is not the thing asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse

from common.errors import TransientError

log = structlog.get_logger()

NO_SUCH_RESOURCE = "The requested resource could not be found."


class Refused(Exception):
    """The request is answered with this status (4xx) and a description that says what to send instead."""

    def __init__(
        self, status: int, description: str, *, headers: Mapping[str, str] | None = None, code: str | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        """A heading of docs/reference/errors.md, where programs have to tell refusals apart."""
        self.status = status
        self.description = description
        self.headers = headers


def error_body(status: int, description: str | None, code: str | None = None) -> dict[str, Any]:
    """The error document; without a description for 500s, whose details are for the log only."""
    body = {
        "errorType": "http",
        "httpStatus": status,
        "label": HTTPStatus(status).phrase,
        "description": description,
        "code": code,
        "type": "Error",
    }
    return {name: value for name, value in body.items() if value is not None}


def error_answer(
    status: int, description: str | None, headers: Mapping[str, str] | None = None, code: str | None = None
) -> JSONResponse:
    return JSONResponse(error_body(status, description, code), status_code=status, headers=dict(headers or {}))


def refusal(error: Refused) -> JSONResponse:
    return error_answer(error.status, error.description, error.headers, error.code)


def unavailable(error: TransientError) -> JSONResponse:
    """503: what we need does not answer at the moment."""
    log.warning("unavailable", error=str(error))
    return error_answer(503, f"{(type(error).__doc__ or '').strip()} Try again.", {"Retry-After": "5"})


def instant(moment: datetime) -> str:
    """A time as the wire has it: UTC, with microseconds, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def base_url(public_url: str, request: Request) -> str:
    """The base of absolute addresses, without a slash at the end: as configured, or as the client called us."""
    return public_url or str(request.base_url).rstrip("/")
