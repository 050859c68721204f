"""Uvicorn in a thread, so that a process can serve HTTP beside its worker and stop both."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self

import structlog
import uvicorn
from fastapi import FastAPI

from common.errors import ConfigurationError
from common.web.event_streams import tell_stop
from common.web.heads import BoundedHeads

log = structlog.get_logger()


class HttpServer:
    """Serves `app` while used with `with`; requests under way are finished before it ends."""

    def __init__(self, app: FastAPI, *, host: str, port: int, stop_within: float = 10) -> None:
        self._app = app
        self._socket = _bound(host, port)
        self._stop_within = stop_within
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=BoundedHeads,
                ws="none",
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=int(stop_within),
                timeout_keep_alive=15,
                server_header=False,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="http", daemon=True
        )

    @property
    def port(self) -> int:
        """The one that was bound; useful where 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the HTTP server ended while starting; the log says why")
            time.sleep(0.01)
        log.info("serving", host=self._socket.getsockname()[0], port=self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tell_stop(self._app)
        self._server.should_exit = True
        self._thread.join(self._stop_within + 5)
        self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    """Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise ConfigurationError(
            f"BACKFILL_HTTP_HOST and BACKFILL_HTTP_PORT: cannot listen on {host}:{port} ({error.strerror}). "
            "Choose an address of this machine and a free port."
        ) from error
