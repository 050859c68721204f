"""Routes that are chosen and called for less answer what others answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header, Query
from fastapi.responses import JSONResponse

from common.web.answers import Refused
from common.web.application import new_app
from common.web.auth import Permission, everyone, needs
from common.web.quick_routes import PlainRoute, QuickRoute
from common.web.serving import HttpServer


async def shown(
    name: str, wait: Annotated[int, Query(ge=0, le=9)] = 0, if_none_match: Annotated[str | None, Header()] = None
) -> JSONResponse:
    if name == "gone":
        raise Refused(404, "It is gone")
    return JSONResponse([name, wait, if_none_match])


async def listed() -> JSONResponse:
    return JSONResponse("listed")


def an_app(kind: type[QuickRoute]) -> FastAPI:
    app = new_app(title="t", version="0", description="", guard=everyone())
    reads = [needs(Permission.BAGS_READ)]
    app.get("/things", dependencies=reads)(listed)
    app.router.add_api_route("/things/{name}/list", listed, methods=["GET"], dependencies=reads)
    app.router.add_api_route("/things/{name:path}", shown, dependencies=reads, route_class_override=kind)
    return app


@pytest.fixture(scope="module", params=[PlainRoute, QuickRoute])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with (
        HttpServer(an_app(request.param), host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/things/a", ["a", 0, '"x"']),
        ("/things/a/b", ["a/b", 0, '"x"']),
        ("/things/a%20b", ["a b", 0, '"x"']),
        ("/things/a?wait=3", ["a", 3, '"x"']),
        ("/things/a?other=3", ["a", 0, '"x"']),
        ("/things/a/list", "listed"),
        ("/things", "listed"),
    ],
)
def test_a_request_gets_to_its_endpoint_with_all_that_it_says(client: httpx.Client, path: str, told: object) -> None:
    assert client.get(path, headers={"If-None-Match": '"x"'}).json() == told


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/things/gone", 404, "It is gone"),
        ("GET", "/thing", 404, "The requested resource could not be found."),
        ("GET", "/things/a?wait=10", 400, "Invalid value at ?wait: Input should be less than or equal to 9."),
        ("PUT", "/things/a", 405, "HTTP method not allowed, supported methods: GET"),
    ],
)
def test_a_request_is_refused_in_the_same_words(
    client: httpx.Client, method: str, path: str, status: int, told: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["description"]) == (status, told)


def test_addresses_below_a_root_path_are_found() -> None:
    app = an_app(PlainRoute)
    app.root_path = "/behind"
    with (
        HttpServer(app, host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}/behind") as client,
    ):
        assert client.get("/things/a").json() == ["a", 0, None]
