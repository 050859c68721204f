"""Four callers with tokens of their own, so that the limit for each of them is the one that everybody has."""

from __future__ import annotations

import httpx

from common.ledger import clients
from common.ledger.clients import NewClient
from common.ledger.engine import open_engine, transaction
from common.web.auth import Permission
from common.web.auth.routes import TOKEN_PATH
from common.web.auth.secrets import new_client

_CALLERS = 4


def tokens_of_callers(dsn: str, port: int) -> list[str]:
    """Access tokens from the API's own endpoint, for clients that are made for it."""
    engine = open_engine(dsn, name="benchmark", pool_size=1)
    fresh = [new_client() for _ in range(_CALLERS)]
    with transaction(engine) as connection:
        for one in fresh:
            new = NewClient(one.id, "client", "benchmark", one.sha256, tuple(sorted(Permission)))
            clients.add(connection, new, who="benchmark")
    engine.dispose()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        form = {"grant_type": "client_credentials"}
        answers = [client.post(TOKEN_PATH, data=form, auth=(one.id, one.secret)) for one in fresh]
    return [str(answer.raise_for_status().json()["access_token"]) for answer in answers]
