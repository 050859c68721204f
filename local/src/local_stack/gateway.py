"""The one port of the local stack: passes requests on to the service that answers them.

In production a load balancer does this: what begins as one of OF_INGESTS to ingests_api, the rest to bag_register.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"}
OF_INGESTS = (
    "/ingests",
    "/backfills",
    "/requirements",
    "/dead-letters",
    "/thaws",
    "/clients",
    "/oauth2",
    "/docs/openapi/ingests_api.json",
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def gateway(*, ingests: str, register: str) -> Starlette:
    """The app; `ingests` and `register` are base URLs."""
    client = httpx.AsyncClient(timeout=httpx.Timeout(60))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    async def forward(request: Request) -> Response:
        # The raw path: identifiers may hold percent-encoded slashes, which must arrive as they were sent.
        raw = request.scope.get("raw_path", request.url.path.encode()).decode("ascii")
        base = ingests if raw.startswith(OF_INGESTS) else register
        query = f"?{request.url.query}" if request.url.query else ""
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
        headers.append(("host", request.headers.get("host", "")))
        outgoing = client.build_request(
            request.method, f"{base}{raw}{query}", headers=headers, content=await request.body()
        )
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            return _unavailable(error)
        kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        return StreamingResponse(
            answer.aiter_raw(), status_code=answer.status_code, headers=kept, background=BackgroundTask(answer.aclose)
        )

    return Starlette(routes=[Route("/{path:path}", forward, methods=_METHODS)], lifespan=lifespan)


def _unavailable(error: Exception) -> JSONResponse:
    body = {
        "errorType": "http",
        "httpStatus": 502,
        "label": "Bad Gateway",
        "description": f"the service behind this path does not answer ({type(error).__name__}); try again in a moment",
        "type": "Error",
    }
    return JSONResponse(body, status_code=502)


def main() -> None:
    """python -m local_stack.gateway --port N --ingests URL --register URL [--certificate PEM --key PEM]"""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ingests", required=True)
    parser.add_argument("--register", required=True)
    parser.add_argument("--certificate", help="serve https with this certificate chain")
    parser.add_argument("--key", help="the certificate's private key")
    options = parser.parse_args()
    app = gateway(ingests=options.ingests, register=options.register)
    # The answers bring their own Date, and name no server.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        server_header=False,
        date_header=False,
        # A client that keeps its connection over TLS, and does not listen, would be waited for half a minute.
        timeout_graceful_shutdown=3,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )


if __name__ == "__main__":
    main()
