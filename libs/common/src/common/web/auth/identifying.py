"""Who calls, by the credentials in a request's headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NoReturn

from fastapi import Request

from common.ledger.clients import Client
from common.web.answers import Refused
from common.web.auth.caller import Caller, Permission
from common.web.auth.directory import Directory
from common.web.auth.proven import Proven
from common.web.auth.routes import API_KEY_HEADER
from common.web.auth.secrets import KEY, key_id_of, same
from common.web.auth.signing import ISSUER
from common.web.auth.tokens import BadToken, Claims, Trusted

_BAD_KEY = "the API key is not known, was revoked, or has expired"
_HOW = "Send an access token as Authorization: Bearer <token>, or an API key as x-api-key: <key>."


class Identifier:
    """Takes API keys, our own tokens and those of trusted issuers."""

    def __init__(
        self, directory: Directory, issuers: Iterable[Trusted], *, now: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._tokens = Proven(issuers, now=now)

    def at_once(self, request: Request) -> Caller | None:
        """Who calls, where neither ledger nor issuer need be asked; None: they must be. Raises Refused (401)."""
        return _found(_credential(request), claims=self._tokens.remembered, client=self._directory.remembered)

    def __call__(self, request: Request) -> Caller:
        """Raises Refused (401), TransientError."""
        credential = _credential(request)
        try:
            found = _found(credential, claims=self._tokens.checked, client=self._directory.usable)
        except BadToken as error:
            _refuse(f"the access token is not accepted: {error}")
        if found is None and credential.startswith(KEY):
            _refuse(_BAD_KEY)
        if found is None:
            _refuse("the access token is not accepted: its client was revoked or has expired")
        return found


def _credential(request: Request) -> str:
    """The key or token. Raises Refused (401) where there is none, or more than one."""
    given = [*request.headers.getlist("authorization"), *request.headers.getlist(API_KEY_HEADER)]
    if not given:
        raise Refused(401, f"Nothing says who you are. {_HOW}", headers={"WWW-Authenticate": "Bearer"})
    if len(given) > 1:
        _refuse("there is more than one Authorization or x-api-key header")
    credential = given[0].strip()
    if API_KEY_HEADER not in request.headers:
        return _token(credential)
    if not credential.startswith(KEY):
        _refuse(_BAD_KEY)
    return credential


def _found(
    credential: str, *, claims: Callable[[str], Claims | None], client: Callable[[str], Client | None]
) -> Caller | None:
    if not credential.startswith(KEY):
        said = claims(credential)
        return None if said is None else _by_token(said, client)
    key_id = key_id_of(credential)
    found = client(key_id) if key_id else None
    good = found is not None and found.kind == "key" and same(credential, found.secret_sha256)
    return caller_of(found) if good and found else None


def _by_token(claims: Claims, client: Callable[[str], Client | None]) -> Caller | None:
    """A token of our own outlives neither its client nor the permissions that the client has."""
    if claims.issuer != ISSUER:
        return Caller(f"token:{claims.issuer}#{claims.subject}", claims.subject, claims.permissions)
    found = client(claims.subject)
    if found is None:
        return None
    known = caller_of(found)
    return Caller(known.id, known.name, known.permissions & claims.permissions)


def caller_of(client: Client) -> Caller:
    """The caller that a client or key stands for. Permissions that no longer exist open nothing."""
    known = frozenset(Permission(name) for name in client.permissions if name in list(Permission))
    return Caller(f"{client.kind}:{client.id}", client.name, known)


def _token(header: str) -> str:
    """With "Bearer" before it or without: existing clients do both."""
    scheme, _, rest = header.partition(" ")
    if not rest:
        return scheme
    if scheme.lower() != "bearer":
        _refuse(f"the scheme {scheme[:20]!r} is not one that is taken here")
    return rest.strip()


def _refuse(why: str) -> NoReturn:
    sentence = f"{why[:1].upper()}{why[1:]}. {_HOW}"
    told = why.replace('"', "'")
    challenge = f'Bearer error="invalid_token", error_description="{told}"'
    raise Refused(401, sentence, headers={"WWW-Authenticate": challenge})
