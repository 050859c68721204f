"""Deny by default: every route of both services says what it needs, and is refused to who has not that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from bag_register import api as bag_register
from bag_register.surroundings import Surroundings as RegisterSurroundings
from common.ledger.engine import open_engine
from common.web.answers import Refused
from common.web.auth import Caller, Guard, Permission
from common.web.auth.routes import is_open, needed
from common.web.serving import HttpServer
from ingests_api import api as ingests_api
from ingests_api.choosing import Offer

OPEN = {
    "/livez",
    "/readyz",
    "/management/healthcheck",
    "/openapi.json",
    "/oauth2/token",
    "/docs",
    "/docs/{name}",
    "/docs/openapi/ingests_api.json",
    "/docs/openapi/bag_register.json",
}
"""What whoever reaches the port may call. Each is a decision: add to it with care."""


def identify(request: Request) -> Caller:
    """The header names the caller's permissions."""
    if (given := request.headers.get("x-permissions")) is None:
        raise Refused(401, "Who are you?")
    return Caller(id="test", name="test", permissions=frozenset(map(Permission, given.split())))


def applications() -> dict[str, FastAPI]:
    """Both applications over a ledger that does not exist: a request that gets through meets 503, never 401 or 403."""
    nothing: Any = None
    engine = open_engine("postgresql://localhost:1/none", name="test")
    guard = Guard(identify)
    return {
        "ingests_api": ingests_api.make_app(
            ingests_api.Surroundings(
                engine=engine,
                offer=Offer(locations={}, writable=frozenset()),
                new_id=nothing,
                guard=guard,
                wake_relay=nothing,
            )
        ),
        "bag_register": bag_register.make_app(
            RegisterSurroundings(engine=engine, lists=nothing, importable=frozenset(), guard=guard)
        ),
    }


ROUTES = [
    pytest.param(service, method, route, id=f"{service} {method} {route.path}")
    for service, app in applications().items()
    for route in app.routes
    for method in sorted(getattr(route, "methods", None) or [""])
]


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, httpx.Client]]:
    clients, servers = {}, []
    for service, app in applications().items():
        server = HttpServer(app, host="127.0.0.1", port=0).__enter__()
        servers.append(server)
        clients[service] = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30)
    yield clients
    for client in clients.values():
        client.close()
    for server in servers:
        server.__exit__(None, None, None)


def path_of(route: Any) -> str:
    ids = re.sub(r"\{\w+:uuid\}", "00000000-0000-4000-8000-000000000000", str(route.path))
    return ids.replace(":path}", "}").replace("{", "").replace("}", "")


@pytest.mark.parametrize(("service", "method", "route"), ROUTES)
def test_a_route_is_open_on_purpose_or_needs_a_permission(service: str, method: str, route: Any) -> None:
    if route.path in OPEN:
        assert is_open(route) or route.path == "/openapi.json"
    else:
        assert needed(route) is not None, f"say what {route.path} needs: dependencies=[needs(Permission.…)]"


@pytest.mark.parametrize(("service", "method", "route"), [each for each in ROUTES if each.values[2].path not in OPEN])
def test_a_route_refuses_strangers_and_callers_without_its_permission(
    clients: dict[str, httpx.Client], service: str, method: str, route: Any
) -> None:
    others = " ".join(each for each in Permission if each is not needed(route))
    stranger, wrong = (
        clients[service].request(method, path_of(route), headers=headers) for headers in ({}, {"x-permissions": others})
    )

    assert (stranger.status_code, wrong.status_code) == (401, 403)
    for answer in (stranger, wrong):
        assert {"label", "description"} <= set(answer.json())


def test_an_address_that_does_not_exist_is_kept_from_strangers(clients: dict[str, httpx.Client]) -> None:
    answers = [client.get("/nowhere") for client in clients.values()]
    known = [client.get("/nowhere", headers={"x-permissions": "bags:read"}) for client in clients.values()]

    assert [answer.status_code for answer in (*answers, *known)] == [401, 401, 404, 404]
