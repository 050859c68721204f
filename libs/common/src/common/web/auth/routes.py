"""What each route needs. A route that says nothing is refused to everyone.

app.get("/bags/{rest:path}", dependencies=[needs(Permission.BAGS_READ)])(bags)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Depends, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import APIKeyHeader, OAuth2
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from common.web.auth.caller import Permission
from common.web.quick_routes import choose

TOKEN_PATH = "/oauth2/token"  # noqa: S105
API_KEY_HEADER = "x-api-key"

_SCOPES = {
    Permission.INGESTS_READ: "Read ingests, their history and progress",
    Permission.INGESTS_WRITE: "Ask for backfills",
    Permission.BAGS_READ: "Read bags, their versions, locations and reports",
    Permission.OPERATE: "Import archives, intervene in ingests, manage clients and keys",
}
# These two only describe: the guard has decided before a route's dependencies are looked at.
_TOKENS = OAuth2(
    scheme_name="oauth2",
    auto_error=False,
    flows=OAuthFlows(
        clientCredentials=OAuthFlowClientCredentials(
            tokenUrl=TOKEN_PATH, scopes={permission.value: text for permission, text in _SCOPES.items()}
        )
    ),
)
_KEYS = APIKeyHeader(name=API_KEY_HEADER, scheme_name="apiKey", auto_error=False)


# FastAPI would send plain functions to a thread of their own, for each request.
async def _described(_token: Any = Security(_TOKENS), _key: Any = Security(_KEYS)) -> None:
    pass


async def _opened() -> None:
    pass


async def _unlimited() -> None:
    pass


def needs(permission: Permission) -> Any:
    """A route's dependency: only callers who have the permission get through."""
    return Security(_described, scopes=[permission.value])


def open_to_all(*, unlimited: bool = False) -> Any:
    """A route's dependency: whoever can reach the port may call it, and it has no caller.

    Strangers' calls are counted by address; with `unlimited` they are not, for probes.
    """
    return Depends(_unlimited if unlimited else _opened)


def is_open(route: BaseRoute) -> bool:
    return any(each.dependency in (_opened, _unlimited) for each in _dependencies(route))


def is_unlimited(route: BaseRoute) -> bool:
    return any(each.dependency is _unlimited for each in _dependencies(route))


def needed(route: BaseRoute) -> Permission | None:
    """The permission that a route declares; None: it declares none."""
    found = [each for each in _dependencies(route) if each.dependency is _described]
    return Permission(found[0].scopes[0]) if found else None


def matching(routes: Iterable[BaseRoute], scope: Scope) -> BaseRoute | None:
    """The route that will answer, as the router chooses it; None: there is none, or not with this method.

    The router need not look again (common.web.quick_routes).
    """
    for route in routes:
        matched, found = route.matches(scope)
        if matched is Match.FULL:
            choose(scope, route, found)
            return route
    return None


def _dependencies(route: BaseRoute) -> list[Any]:
    return list(getattr(route, "dependencies", None) or [])
