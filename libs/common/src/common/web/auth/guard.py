"""Stands before every route: no request gets to one that its caller may not use."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from common.errors import TransientError
from common.web.answers import Refused, refusal, unavailable
from common.web.auth.caller import EVERYONE, Caller
from common.web.auth.routes import is_open, matching, needed

Identify = Callable[[Request], Caller]
"""Who calls, by the request's headers. Raises Refused (401). Runs in a thread of its own: it may ask the ledger."""


class Guard:
    """How a deployment finds out who calls."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    async def admit(self, app: FastAPI, request: Request) -> None:
        """Return if the request may go on, with its caller in the request's state. Raises Refused, TransientError."""
        route = matching(app.routes, request.scope)
        if route is not None and _open(app, route):
            return
        found = await run_in_threadpool(self._identify, request)
        request.state.caller = found
        if route is not None:
            _check(route, found)


def everyone() -> Guard:
    """Asks nobody who they are: for development on one machine, and for tests about something else."""
    return Guard(lambda _: EVERYONE)


def _open(app: FastAPI, route: BaseRoute) -> bool:
    return is_open(route) or getattr(route, "path", None) == app.openapi_url


def _check(route: BaseRoute, found: Caller) -> None:
    permission = needed(route)
    if permission is None:
        raise Refused(403, "This address is closed: it does not say which permission it needs.")
    if not found.may(permission):
        has = ", ".join(sorted(found.permissions)) or "none"
        raise Refused(
            403,
            f"{found.name} lacks the scope {permission}; it has: {has}. "
            "Ask an operator for a client or key that has it, or ask for a token with it.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{permission}"'},
        )


class Guarded:
    """The guard as middleware of an application."""

    def __init__(self, app: ASGIApp, *, guard: Guard, application: FastAPI) -> None:
        self._app = app
        self._guard = guard
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = await self._refusal(Request(scope))
        await (answer or self._app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        try:
            await self._guard.admit(self._application, request)
        except Refused as error:
            return refusal(error)
        except TransientError as error:
            return unavailable(error)
        return None
