"""Whose certificates are believed."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def trusted() -> ssl.SSLContext:
    """The authorities that httpx believes, SSL_CERT_FILE and SSL_CERT_DIR considered. Any thread, any connection.

    Reading them takes 20 ms, and a command opens a connection to each API and one for its token: once is enough.
    """
    return httpx.create_ssl_context()
