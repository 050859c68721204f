"""An HTTP application whose every answer is JSON and whose every refusal says what to do."""

from __future__ import annotations

import time

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import TransientError
from common.web.answers import NO_SUCH_RESOURCE, Refused, error_answer, refusal, unavailable
from common.web.auth.guard import Guard, Guarded
from common.web.quick_routes import QuickRoute

log = structlog.get_logger()

_QUIET = ("/livez", "/readyz", "/management/healthcheck")


def new_app(*, title: str, version: str, description: str, guard: Guard) -> FastAPI:
    """An application without routes; the OpenAPI document is at /openapi.json.

    Every route must say what it needs (common.web.auth.routes): the guard refuses the others.
    """
    app = FastAPI(
        title=title, version=version, description=description, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.router.route_class = QuickRoute
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TransientError, _unavailable)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Guarded, guard=guard, application=app)
    app.add_middleware(RequestLog)
    return app


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return refusal(error)


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the router itself says: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_answer(404, NO_SUCH_RESOURCE)
    if error.status_code == 405:
        return not_allowed(*_methods(request))
    return error_answer(error.status_code, str(error.detail), error.headers)


def not_allowed(*methods: str) -> JSONResponse:
    """405 with the methods that are."""
    listed = ", ".join(methods)
    return error_answer(405, f"HTTP method not allowed, supported methods: {listed}", {"Allow": listed})


def _methods(request: Request) -> list[str]:
    """Of every route that has the request's path, not only of the first."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found - {"HEAD"})


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = [f"Invalid value at {_place(fault['loc'])}: {fault['msg']}." for fault in error.errors()]
    return error_answer(400, "\n".join(lines))


def _place(parts: tuple[int | str, ...]) -> str:
    kind, *rest = (str(part) for part in parts)
    return ("?" if kind == "query" else ".") + ".".join(rest)


async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TransientError)
    return unavailable(error)


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """The server logs the exception; the client learns nothing of our insides."""
    # The server closes the connection after an error that nobody caught: a client that is not told so sends its next
    # request into it.
    return error_answer(500, None, {"Connection": "close"})


class RequestLog:
    """One line for each request, but for probes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            seconds = round(time.monotonic() - started, 4)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status or 500,
                seconds=seconds,
                caller=_caller(scope),
            )


def _caller(scope: Scope) -> str | None:
    found = scope.get("state", {}).get("caller")
    return found.id if found else None
