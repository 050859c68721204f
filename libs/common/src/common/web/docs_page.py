"""The API's documentation as a page: everything on it comes from here, so that it opens without the internet.

Swagger UI is fastapi-swagger's copy of its distribution. Behind one address both services' documents are on the page.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from common.web.answers import NO_SUCH_RESOURCE, Refused
from common.web.auth import open_to_all

PAGE = "/docs"
_FOLDERS = {"fastapi_swagger": "resources", "common.web": "page"}
_TYPES = {
    "docs.html": "text/html; charset=utf-8",
    "swagger-ui.css": "text/css",
    "docs.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "docs.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""What there is, by name: no other file is sent."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing is loaded from, or told to, anybody else, and no script runs but those that lie here."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=3600",
}


def add_docs_page(app: FastAPI, *, service: str) -> None:
    """GET /docs, what it is made of below it, and the service's document at /docs/openapi/<service>.json."""

    def page() -> Response:
        return _file("docs.html")

    def document() -> Response:
        return JSONResponse(_grouped(app.openapi()), headers={"Cache-Control": "no-cache"})

    def part(name: str) -> Response:
        return _file(name)

    for path, action in ((PAGE, page), (f"{PAGE}/openapi/{service}.json", document), (PAGE + "/{name}", part)):
        app.get(path, include_in_schema=False, dependencies=[open_to_all()])(action)


def _grouped(document: dict[str, Any]) -> dict[str, Any]:
    """For reading: in chapters by what the addresses begin with, and callable behind a prefix too."""
    paths = {
        path: {method: operation | {"tags": [path.split("/")[1]]} for method, operation in operations.items()}
        for path, operations in document["paths"].items()
    }
    return document | {"paths": paths, "servers": [{"url": "../.."}]}


def _file(name: str) -> Response:
    if name not in _TYPES:
        raise Refused(404, NO_SUCH_RESOURCE)
    return Response(_body(name), media_type=_TYPES[name], headers=_HEADERS)


@cache
def _body(name: str) -> bytes:
    found: Any = next(
        path for package, folder in _FOLDERS.items() if (path := files(package) / folder / name).is_file()
    )
    return bytes(found.read_bytes())
