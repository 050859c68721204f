"""POST /oauth2/token: access tokens for the deployment's own clients (RFC 6749, client credentials)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from common.ledger import clients
from common.ledger.clients import Client
from common.ledger.engine import transaction
from common.web.answers import ErrorAnswer
from common.web.auth import Permission, open_to_all
from common.web.auth.identifying import caller_of
from common.web.auth.routes import TOKEN_PATH
from common.web.auth.secrets import same
from common.web.auth.signing import Signer
from ingests_api.openapi import TOKEN

_LONGEST = 16 * 1024
"""Bytes of a request."""
_NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenRefused(Exception):
    """RFC 6749 section 5.2: one of its error codes, and a sentence."""

    def __init__(self, code: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


def add_routes(app: FastAPI, *, engine: Engine, signer: Signer) -> None:
    """The route, and the form of its refusals."""
    app.add_exception_handler(TokenRefused, _refused)

    def token(request: Request, form: dict[str, str] = Depends(_form)) -> JSONResponse:
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "grant_type must be client_credentials.")
        client = _client(engine, *_credentials(request, form))
        granted = _granted(client, form.get("scope"))
        document = {
            "access_token": signer.token(client.id, granted),
            "expires_in": signer.life,
            "token_type": "Bearer",
            "scope": " ".join(sorted(granted)),
        }
        return JSONResponse(document, headers=_NEVER_KEPT)

    app.post(TOKEN_PATH, **TOKEN, dependencies=[open_to_all()])(token)


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise TokenRefused("invalid_request", "Send a form: Content-Type application/x-www-form-urlencoded.")
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > _LONGEST:
            raise TokenRefused("invalid_request", f"The request is larger than {_LONGEST} bytes.", status=413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except ValueError:
        raise TokenRefused("invalid_request", "The form cannot be read.") from None
    if len(dict(pairs)) != len(pairs):
        raise TokenRefused("invalid_request", "A field comes twice.")
    return dict(pairs)


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from HTTP Basic or from the form."""
    header = request.headers.get("authorization")
    if header is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise TokenRefused("invalid_request", "Send the secret as HTTP Basic or in the form, not both.")
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        text = ""
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _client(engine: Engine, client_id: str, secret: str) -> Client:
    with transaction(engine) as connection:
        found = clients.find_usable(connection, client_id) if "\x00" not in client_id else None
        if found is not None and found.kind == "client" and same(secret, found.secret_sha256):
            clients.note_use(connection, [client_id])
            return found
    told = "There is no such client, its secret is another, or it was revoked or has expired."
    raise TokenRefused("invalid_client", told, status=401)


def _granted(client: Client, wanted: str | None) -> frozenset[Permission]:
    """What is asked for; everything the client has where nothing is."""
    has = caller_of(client).permissions
    if not (wanted or "").split():
        return has
    unknown = sorted(set((wanted or "").split()) - {permission.value for permission in has})
    if unknown:
        known = ", ".join(sorted(has)) or "none"
        raise TokenRefused("invalid_scope", f"This client has not: {', '.join(unknown)}. It has: {known}.")
    return frozenset(map(Permission, (wanted or "").split()))


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    """Both what RFC 6749 wants and what all our refusals have."""
    assert isinstance(error, TokenRefused)
    body: dict[str, Any] = {"error": error.code, "error_description": error.description}
    headers = _NEVER_KEPT | ({"WWW-Authenticate": 'Basic realm="backfill"'} if error.status == 401 else {})
    return ErrorAnswer(error.status, error.description, headers=headers, more=body)
