"""The guard before every route."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from common.errors import LedgerUnavailable
from common.web.answers import Refused
from common.web.application import new_app
from common.web.auth import Caller, Guard, Permission, caller, everyone, needs, open_to_all
from common.web.serving import HttpServer

READER = Caller(id="client:reader", name="reader", permissions=frozenset({Permission.BAGS_READ}))


def reader(_: Request) -> Caller:
    return READER


def stranger(_: Request) -> Caller:
    raise Refused(401, "Who are you?", headers={"WWW-Authenticate": "Bearer"})


def unreachable(_: Request) -> Caller:
    raise LedgerUnavailable()


@contextmanager
def serving(guard: Guard) -> Iterator[httpx.Client]:
    app = new_app(title="t", version="0", description="", guard=guard)
    add_routes(app)
    with (
        HttpServer(app, host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        yield client


def add_routes(app: FastAPI) -> None:
    def who(request: Request) -> JSONResponse:
        return JSONResponse({"id": caller(request).id})

    def ping() -> JSONResponse:
        return JSONResponse({})

    app.get("/read", dependencies=[needs(Permission.BAGS_READ)])(who)
    app.get("/operate", dependencies=[needs(Permission.OPERATE)])(who)
    app.get("/open", dependencies=[open_to_all()])(ping)
    app.get("/silent")(ping)


def test_a_route_learns_who_calls() -> None:
    with serving(Guard(reader)) as client:
        answer = client.get("/read")
    assert (answer.status_code, answer.json()) == (200, {"id": "client:reader"})


def test_a_caller_without_the_permission_is_told_what_is_missing() -> None:
    with serving(Guard(reader)) as client:
        answer = client.get("/operate")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (
        403,
        'Bearer error="insufficient_scope", scope="operate"',
    )
    assert answer.json() == {
        "errorType": "http",
        "httpStatus": 403,
        "label": "Forbidden",
        "description": "reader lacks the scope operate; it has: bags:read. "
        "Ask an operator for a client or key that has it, or ask for a token with it.",
        "type": "Error",
    }


def test_a_route_that_declares_nothing_is_closed_even_to_everyone() -> None:
    with serving(everyone()) as client:
        assert client.get("/silent").status_code == 403


def test_an_open_route_asks_nobody() -> None:
    with serving(Guard(stranger)) as client:
        assert (client.get("/open").status_code, client.get("/openapi.json").status_code) == (200, 200)


def test_a_refusal_to_know_somebody_is_the_answer() -> None:
    with serving(Guard(stranger)) as client:
        answer = client.get("/read")
    assert (answer.status_code, answer.json()["description"], answer.headers["www-authenticate"]) == (
        401,
        "Who are you?",
        "Bearer",
    )


def test_without_the_ledger_nobody_gets_through_and_may_come_again() -> None:
    with serving(Guard(unreachable)) as client:
        answer = client.get("/read")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_openapi_document_says_what_each_route_needs() -> None:
    with serving(everyone()) as client:
        document = client.get("/openapi.json").json()
    assert document["paths"]["/operate"]["get"]["security"] == [{"oauth2": ["operate"]}, {"apiKey": ["operate"]}]
    assert "security" not in document["paths"]["/open"]["get"]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert (flow["tokenUrl"], sorted(flow["scopes"])) == ("/oauth2/token", sorted(Permission))
