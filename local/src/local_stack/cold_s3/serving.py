"""HTTP/1.1 with connections that stay open, for moto's application.

moto's development server closes the connection after every request and then waits for stragglers; a client with
a thousand small objects spends its time connecting.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

_BODILESS = ("1", "204", "304")


class KeepAliveHandler(MotoRequestHandler):
    """Reads each request's body in full before answering, so that the next request begins where it should."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    now: Callable[[], datetime]
    """The clock that the server's answers go by."""

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = environ = self.make_environ()
        self._buffer_body(environ)
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer[:] = [status, headers]

        chunks = self.server.app(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        self._send(str(answer[0]), answer[1], body)

    def _buffer_body(self, environ: dict[str, Any]) -> None:
        body = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = io.BytesIO(body.read())
        else:
            environ["wsgi.input"] = io.BytesIO(body.read(int(environ.get("CONTENT_LENGTH") or 0)))

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        # The time at which restored copies expire is this clock's, and clients compare the two.
        self.send_header("Date", self.date_time_string(self.now().timestamp()))
        for name, value in headers:
            if name.lower() != "connection":
                self.send_header(name, value)
        if not code.startswith(_BODILESS) and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not code.startswith(_BODILESS):
            self.wfile.write(body)
        self.wfile.flush()


def server_of(app: Any, *, port: int, now: Callable[[], datetime]) -> BaseWSGIServer:
    """A threaded server on loopback; `serve_forever` runs it. Its Date headers tell the time of `now`."""
    handler = type("ClockedHandler", (KeepAliveHandler,), {"now": staticmethod(now)})
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=handler)
