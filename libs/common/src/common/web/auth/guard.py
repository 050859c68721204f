"""Stands before every route: no request gets to one that its caller may not use, or too often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import TransientError
from common.web.answers import Refused, refusal, unavailable
from common.web.auth.caller import EVERYONE, Caller
from common.web.auth.limits import Limits
from common.web.auth.routes import is_open, is_unlimited, matching, needed
from common.web.bodies import MAX_BYTES

LONGEST_HEADERS = 16 * 1024
"""Bytes of a request's headers together."""

Identify = Callable[[Request], Caller]
"""Who calls, by the request's headers. Raises Refused (401)."""
AtOnce = Callable[[Request], Caller | None]
"""The same, where that is known without waiting for anything; None: `Identify` finds out."""


class Guard:
    """How a deployment finds out who calls, and how often they may."""

    def __init__(self, identify: Identify, *, at_once: AtOnce | None = None, limits: Limits | None = None) -> None:
        """`identify` may ask the ledger or an issuer: it runs in a thread of its own, unless `at_once` knows."""
        self._identify = identify
        self._at_once = at_once
        self._limits = limits

    async def admit(self, app: FastAPI, request: Request) -> None:
        """Return if the request may go on, with its caller in the request's state. Raises Refused, TransientError."""
        _check_size(request)
        _check_query(request)
        route = matching(app.routes, request.scope)
        if route is not None and _open(app, route):
            if not is_unlimited(route):
                self._count(request, _address(request))
            return
        found = await self._known(request)
        request.state.caller = found
        self._count(request, found.id)
        if route is not None:
            _check(route, found)

    async def _known(self, request: Request) -> Caller:
        try:
            found = self._at_once(request) if self._at_once else None
            return found if found is not None else await run_in_threadpool(self._identify, request)
        except Refused:
            self._count(request, _address(request))
            raise

    def _count(self, request: Request, caller_id: str) -> None:
        """Raises Refused (429)."""
        if self._limits is None:
            return
        left = self._limits.count(caller_id)
        request.state.answer_headers = left.headers
        if not left.allowed:
            told = f"More than {self._limits.per_minute} requests in a minute: wait {left.headers['Retry-After']} s."
            raise Refused(429, told, headers=left.headers)


def everyone(*, limits: Limits | None = None) -> Guard:
    """Asks nobody who they are: for development on one machine, and for tests about something else."""
    return Guard(_everyone, at_once=_everyone, limits=limits)


def _everyone(_request: Request) -> Caller:
    return EVERYONE


def _address(request: Request) -> str:
    return f"address:{request.client.host if request.client else 'unknown'}"


def _open(app: FastAPI, route: BaseRoute) -> bool:
    return is_open(route) or getattr(route, "path", None) == app.openapi_url


def _check_size(request: Request) -> None:
    """By what is declared; a body that comes in pieces is counted where it is read."""
    if sum(len(name) + len(value) for name, value in request.headers.raw) > LONGEST_HEADERS:
        raise Refused(431, f"The headers are larger than {LONGEST_HEADERS} bytes.")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MAX_BYTES:
        raise Refused(413, f"The request is larger than {MAX_BYTES} bytes.")


def _check_query(request: Request) -> None:
    """PostgreSQL keeps no NUL, so nothing could be found by one."""
    if b"%00" not in request.scope.get("query_string", b""):
        return
    for name, value in request.query_params.multi_items():
        if "\x00" in name + value:
            raise Refused(400, f"Invalid value at ?{name}: must not contain the character NUL.")


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
        await (answer or self._app)(scope, receive, _adding(_state(scope).get("answer_headers", {}), send))

    async def _refusal(self, request: Request) -> Response | None:
        try:
            await self._guard.admit(self._application, request)
        except Refused as error:
            return refusal(error)
        except TransientError as error:
            return unavailable(error)
        return None


def _state(scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = scope.get("state", {})
    return found


def _adding(headers: Mapping[str, str], send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return adding
