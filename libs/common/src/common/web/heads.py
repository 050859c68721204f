"""HTTP/1.1 parsed by httptools, which costs little CPU but lets a request's head grow forever."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 64 * 1024
"""Bytes of a request's head that are waited for; the guard refuses much shorter ones with words."""


class BoundedHeads(HttpToolsProtocol):
    """Refuses a head that does not end, with 400, and closes the connection."""

    _begun = False
    _seen = 0

    def on_message_begin(self) -> None:
        self._begun, self._seen = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._begun = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._begun:
            return
        # A block in which a head begins may hold the end of the body before it: it counts too, and weighs little.
        self._seen += len(data)
        if self._seen > LONGEST and not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")
