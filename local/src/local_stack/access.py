"""How the local stack's API is reached: its certificate, and a client whose secret lies in a file."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files, and the name that they vouch for."""

    host: str
    chain: Path
    key: Path
    authority: Path
    """Who signed it: what clients trust."""


def ensure_client(credentials: Path, *, dsn: str, api: str, verify: ssl.SSLContext | bool) -> None:
    """Leave a file with the id and secret of a client that works; one that is there already is kept."""
    if credentials.exists() and _works(credentials, api=api, verify=verify):
        return
    given = ["--name", "local", "--why", "made by the local stack", "--api", api, "--write", str(credentials)]
    subprocess.run(
        [sys.executable, "-m", "ingests_api.first_client", *given],
        env=os.environ | {"BACKFILL_DATABASE_URL": dsn},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )


def _works(credentials: Path, *, api: str, verify: ssl.SSLContext | bool) -> bool:
    try:
        kept = json.loads(credentials.read_text("utf-8"))
        if kept["token_url"] != f"{api}/oauth2/token":
            return False
        token(credentials, verify=verify)
    except (ValueError, KeyError, httpx.HTTPError):
        return False
    return True


def token(credentials: Path, *, verify: ssl.SSLContext | bool = True) -> str:
    """An access token for the client in the file. Raises httpx.HTTPError."""
    kept = json.loads(credentials.read_text("utf-8"))
    answer = httpx.post(
        kept["token_url"],
        data={"grant_type": "client_credentials"},
        auth=(kept["client_id"], kept["client_secret"]),
        timeout=10,
        trust_env=False,
        verify=verify,
    )
    return str(answer.raise_for_status().json()["access_token"])
