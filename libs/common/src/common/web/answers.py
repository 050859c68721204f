"""The shape of every answer that is not the thing asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from common.errors import TransientError
from common.web.problems import PROBLEMS, code_of, type_of

log = structlog.get_logger()

PROBLEM = "application/problem+json"
_QUALITY = re.compile(r"[01](\.\d{0,3})?")
NO_SUCH_RESOURCE = "The requested resource could not be found."


class Refused(Exception):
    """The request is answered with this status (4xx) and a description that says what to send instead.

    `code` is a heading of docs/reference/errors.md, for programs that have to tell refusals apart.
    """

    def __init__(
        self, status: int, description: str, *, headers: Mapping[str, str] | None = None, code: str | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.code = code
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


class ErrorAnswer(JSONResponse):
    """The document that existing clients know; as application/problem+json where the request prefers that."""

    def __init__(
        self,
        status: int,
        description: str | None,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """`more`: fields of both forms."""
        self._description = description
        self._code = code or code_of(status)
        self._more = dict(more or {})
        body = error_body(status, description, code) | self._more
        super().__init__(body, status, {"Vary": "Accept", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if prefers_problem(Headers(scope=scope).getlist("accept")):
            self.body = self.render(self._problem() | self._more)
            self.headers["content-type"] = PROBLEM
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)

    def _problem(self) -> dict[str, Any]:
        document = {
            "type": type_of(self._code),
            "title": PROBLEMS.get(self._code, PROBLEMS[code_of(self.status_code)]).title,
            "status": self.status_code,
            "detail": self._description,
            "code": self._code,
        }
        return {name: value for name, value in document.items() if value is not None}


def prefers_problem(accept: Iterable[str]) -> bool:
    """Whether problem+json is named, and no less wanted than plain JSON where that is named too."""
    wanted = {}
    for part in ",".join(accept).split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        wanted[name] = float(quality) if _QUALITY.fullmatch(quality) else 0.0
    return 0 < wanted.get(PROBLEM, 0) >= wanted.get("application/json", 0)


def error_answer(
    status: int, description: str | None, headers: Mapping[str, str] | None = None, code: str | None = None
) -> ErrorAnswer:
    return ErrorAnswer(status, description, headers=headers, code=code)


def refusal(error: Refused) -> ErrorAnswer:
    return ErrorAnswer(error.status, error.description, code=error.code, headers=error.headers)


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
