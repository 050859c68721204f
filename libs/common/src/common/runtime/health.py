"""/livez and /readyz for processes that serve no other HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Probe = Callable[[], dict[str, str]]
"""What is wrong, by what; empty: all is well."""


def serve_health(*, port: int, alive: Probe, ready: Probe) -> ThreadingHTTPServer:
    """Answer GET /livez and /readyz on 127.0.0.1 and all other interfaces, in a daemon thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            probes = {"/livez": alive, "/readyz": ready, "/healthz": alive}
            probe = probes.get(self.path.split("?")[0])
            problems = {"path": "not found"} if probe is None else probe()
            status = 404 if probe is None else (503 if problems else 200)
            body = json.dumps({"status": "ok" if not problems else "unavailable", "problems": problems}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds; they are not events."""

    server = ThreadingHTTPServer(("0.0.0.0", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
