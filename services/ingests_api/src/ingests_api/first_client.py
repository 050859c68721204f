"""python -m ingests_api.first_client: makes a client or key with the ledger's own credentials.

Every further one can be made through the API (`backfill clients create`), by a caller with the scope operate.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.ledger import clients
from common.ledger.clients import NewClient
from common.ledger.engine import open_engine, transaction
from common.ledger.migrations import upgrade
from common.runtime.process import exit_on_bad_settings
from common.runtime.settings import read_settings
from common.web.auth import Permission
from common.web.auth.routes import TOKEN_PATH
from common.web.auth.secrets import Fresh, new_client, new_key


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="BACKFILL_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL DSN of the ledger")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m ingests_api.first_client", description=__doc__)
    parser.add_argument("--name", required=True, help="what people call it")
    parser.add_argument("--kind", choices=["client", "key"], default="client", help="an OAuth client or an API key")
    parser.add_argument("--scope", choices=list(Permission), action="append", help="may be repeated; all where absent")
    parser.add_argument("--why", default="", help="kept in the ledger with who and when")
    parser.add_argument("--api", default="", help="the API's public address, for the credentials' token_url")
    parser.add_argument("--write", type=Path, help="write the credentials to this file, for its owner only")
    given = parser.parse_args(arguments)
    exit_on_bad_settings(lambda: _run(given))


def _run(given: argparse.Namespace) -> None:
    settings = read_settings(_Settings)
    fresh = new_client() if given.kind == "client" else new_key()
    new = NewClient(fresh.id, given.kind, given.name, fresh.sha256, tuple(sorted(given.scope or Permission)))
    _add(settings.database_url.get_secret_value(), new, why=given.why)
    text = json.dumps(_credentials(given, fresh), indent=2) + "\n"
    if given.write:
        write_for_owner(given.write, text)
        sys.stdout.write(f"{given.kind} {fresh.id}: {given.write}\n")
    else:
        sys.stdout.write(text)


def _add(dsn: str, new: NewClient, *, why: str) -> None:
    upgrade(dsn)
    engine = open_engine(dsn, name="first_client", pool_size=1)
    try:
        with transaction(engine) as connection:
            clients.add(connection, new, who=_who(), why=why)
    finally:
        engine.dispose()


def _who() -> str:
    """Who sits at the shell: whoever has the ledger's credentials may do this."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"shell:{user}@{socket.gethostname()}"


def _credentials(given: argparse.Namespace, fresh: Fresh) -> dict[str, str]:
    """The names that the storage service's Python client reads from its credentials file."""
    if given.kind == "key":
        return {"api_key": fresh.secret}
    found = {"client_id": fresh.id, "client_secret": fresh.secret}
    return found | ({"token_url": given.api.rstrip("/") + TOKEN_PATH} if given.api else {})


def write_for_owner(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read, whatever was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
