"""The HTTP API for OAuth clients and API keys. A secret is told once, when it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from common.ledger import clients
from common.ledger.clients import Client, NewClient
from common.ledger.engine import transaction
from common.web.answers import Refused, instant
from common.web.auth import Permission, caller, needs
from common.web.auth.secrets import Fresh, new_client, new_key
from common.web.bodies import json_body
from common.web.fields import Fields
from ingests_api.openapi import CLIENTS_CREATE, CLIENTS_LIST, CLIENTS_REVOKE

_KINDS = {"client": new_client, "key": new_key}
_LONGEST_NAME = 100
_MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request for a client or key."""

    kind: str
    name: str
    permissions: tuple[str, ...]
    days: int | None
    reason: str

    def new(self, fresh: Fresh) -> NewClient:
        ends = datetime.now(UTC) + timedelta(days=self.days) if self.days else None
        return NewClient(fresh.id, self.kind, self.name, fresh.sha256, self.permissions, expires_at=ends)


def add_routes(app: FastAPI, engine: Engine) -> None:
    """POST /clients, GET /clients, POST /clients/{id}/revoke."""

    def create(request: Request, body: Any = Depends(json_body)) -> JSONResponse:
        asked = parse(body)
        fresh = _KINDS[asked.kind]()
        with transaction(engine) as connection:
            made = clients.add(connection, asked.new(fresh), who=caller(request).id, why=asked.reason)
        document = client_document(made) | {"secret": fresh.secret}
        return JSONResponse(document, status_code=201, headers={"Cache-Control": "no-store"})

    def every() -> JSONResponse:
        with transaction(engine) as connection:
            found = clients.every(connection)
        return JSONResponse({"type": "ResultList", "results": [client_document(client) for client in found]})

    def revoke(request: Request, client_id: str, body: Any = Depends(json_body)) -> JSONResponse:
        fields = Fields(body)
        reason = fields.text("reason")
        fields.check()
        with transaction(engine) as connection:
            found = clients.revoke(connection, client_id, who=caller(request).id, why=reason or "")
        if found is None:
            raise Refused(404, f"Client {client_id} not found")
        return JSONResponse(client_document(found))

    operating = [needs(Permission.OPERATE)]
    app.post("/clients", **CLIENTS_CREATE, dependencies=operating)(create)
    app.get("/clients", **CLIENTS_LIST, dependencies=operating)(every)
    app.post("/clients/{client_id}/revoke", **CLIENTS_REVOKE, dependencies=operating)(revoke)


def parse(document: Any) -> Asked:
    """Read a request. Raises Invalid."""
    fields = Fields(document)
    kind = fields.text("kind", required=False) or "client"
    if kind not in _KINDS:
        fields.fault(f'Invalid value at .kind: got "{kind}", valid values are: {", ".join(_KINDS)}.')
    name = (fields.text("name") or "").strip()
    if fields.has("name") and not 1 <= len(name) <= _LONGEST_NAME:
        fields.fault(f"Invalid value at .name: must have from 1 to {_LONGEST_NAME} characters.")
    permissions = _permissions(fields, fields.peek("scopes"))
    reason = fields.text("reason", required=False) or ""
    days = fields.peek("expiresInDays")
    if days is not None and (type(days) is not int or not 1 <= days <= _MOST_DAYS):
        fields.fault(f"Invalid value at .expiresInDays: got {days!r}, must be from 1 to {_MOST_DAYS}.")
    fields.check()
    return Asked(kind, name, permissions, days, reason)


def _permissions(fields: Fields, given: Any) -> tuple[str, ...]:
    known = [permission.value for permission in Permission]
    if not isinstance(given, list) or not given or any(name not in known for name in given):
        fields.fault(f"Invalid value at .scopes: must be a list with some of: {', '.join(known)}.")
        return ()
    return tuple(sorted(set(given)))


def client_document(client: Client) -> dict[str, Any]:
    """All but the secret, which is not known."""
    dates = {
        "createdDate": client.created_at,
        "expiresDate": client.expires_at,
        "revokedDate": client.revoked_at,
        "lastUsedDate": client.last_used_at,
    }
    document = {
        "id": client.id,
        "type": "Client",
        "kind": client.kind,
        "name": client.name,
        "scopes": list(client.permissions),
        "createdBy": client.created_by,
    }
    return document | {name: instant(moment) for name, moment in dates.items() if moment is not None}
