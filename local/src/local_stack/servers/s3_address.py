"""How to reach an S3 server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Address:
    """An endpoint with the credentials it accepts."""

    endpoint: str
    """http://127.0.0.1:port, without a trailing slash."""
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
