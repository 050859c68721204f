"""The API's documentation as a page: whole without the internet, and closed to everybody else's scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from architecture.test_routes import applications
from common.web.serving import HttpServer

CHROMIUM = shutil.which("chromium")


@pytest.fixture(params=["ingests_api", "bag_register"])
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(service: str) -> Iterator[httpx.Client]:
    app: FastAPI = applications()[service]
    with (
        HttpServer(app, host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client,
    ):
        yield client


def test_all_that_the_page_needs_comes_from_the_service(client: httpx.Client, service: str) -> None:
    page = client.get("/docs")
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    answers = {part: client.get(f"/{part}").status_code for part in parts}
    document = client.get(f"/docs/openapi/{service}.json").json()

    assert answers == dict.fromkeys(parts, 200)
    assert {part.partition(":")[0] for part in parts} & {"http", "https", "//"} == set()
    assert {"docs/swagger-ui-bundle.js", "docs/docs.js", "docs/swagger-ui.css"} <= set(parts)
    assert document["paths"].keys() == client.get("/openapi.json").json()["paths"].keys()


def test_no_foreign_script_style_or_frame_is_let_in(client: httpx.Client) -> None:
    headers = client.get("/docs").headers

    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["__init__.py", "main.py", "nothing.js"])
def test_nothing_else_is_sent(client: httpx.Client, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")
@pytest.mark.slow
def test_a_browser_shows_every_operation(client: httpx.Client, service: str, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    shown = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path}",
         "--virtual-time-budget=8000", "--dump-dom", f"{client.base_url}/docs?service={service}"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    operations = sum(len(methods) for methods in client.get("/openapi.json").json()["paths"].values())

    assert shown.count('class="opblock-summary-path"') == operations
