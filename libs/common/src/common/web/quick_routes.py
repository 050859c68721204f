"""FastAPI's routes, chosen and called for less: an application of many routes would take longer to find one than to
answer.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from common.web.bodies import json_body

_CHOSEN = "backfill.chosen"


def choose(scope: Scope, route: BaseRoute, found: Scope) -> None:
    """Note that `route` answers, and what it `found` in the address: nobody looks again."""
    scope[_CHOSEN] = route, found


class QuickRoute(APIRoute):
    """Says by its first characters that an address is not its own."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self._begins = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if _CHOSEN in scope:
            route, found = scope[_CHOSEN]
            return (Match.FULL, found) if route is self else (Match.NONE, {})
        # Addresses below a root path begin otherwise.
        if not scope.get("root_path") and not scope["path"].startswith(self._begins):
            return Match.NONE, {}
        return super().matches(scope)


class PlainRoute(QuickRoute):
    """Calls its endpoint without FastAPI's reading of parameters where a request has no query.

    The endpoint is async and answers a Response; its parameters are texts of the path, optional texts of headers, and
    such of the query as have defaults (written with Annotated).
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = {each.name: headers[each.alias] for each in self.dependant.header_params if each.alias in headers}
        answer = await self.endpoint(**scope["path_params"], **given)
        await answer(scope, receive, send)


class PlainPost(QuickRoute):
    """Calls its endpoint without FastAPI's reading of parameters where a request has no query.

    The endpoint is async and answers a Response; its parameters are the request, its JSON document (`json_body`), and
    such of the query as have defaults (written with Annotated). The path has none, or none that it wants.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self.endpoint(request, await json_body(request))
        await answer(scope, receive, send)
