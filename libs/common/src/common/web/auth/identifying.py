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
from common.web.auth.routes import API_KEY_HEADER
from common.web.auth.secrets import KEY, key_id_of, same
from common.web.auth.signing import ISSUER
from common.web.auth.tokens import BadToken, Claims, Trusted, verified

_HOW = "Send an access token as Authorization: Bearer <token>, or an API key as x-api-key: <key>."


class Identifier:
    """Takes API keys, our own tokens and those of trusted issuers."""

    def __init__(
        self, directory: Directory, issuers: Iterable[Trusted], *, now: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._issuers = {trusted.issuer: trusted for trusted in issuers}
        self._now = now

    def __call__(self, request: Request) -> Caller:
        """Raises Refused (401), TransientError."""
        given = [*request.headers.getlist("authorization"), *request.headers.getlist(API_KEY_HEADER)]
        if not given:
            raise Refused(401, f"Nothing says who you are. {_HOW}", headers={"WWW-Authenticate": "Bearer"})
        if len(given) > 1:
            _refuse("there is more than one Authorization or x-api-key header")
        credential = given[0].strip()
        if API_KEY_HEADER not in request.headers:
            credential = _token(credential)
        elif not credential.startswith(KEY):
            _refuse("the API key is not known, was revoked, or has expired")
        return self._by_key(credential) if credential.startswith(KEY) else self._by_token(credential)

    def _by_key(self, key: str) -> Caller:
        key_id = key_id_of(key)
        found = self._directory.usable(key_id) if key_id else None
        if found is None or found.kind != "key" or not same(key, found.secret_sha256):
            _refuse("the API key is not known, was revoked, or has expired")
        return caller_of(found)

    def _by_token(self, token: str) -> Caller:
        try:
            claims = verified(token, self._issuers, now=self._now())
        except BadToken as error:
            _refuse(f"the access token is not accepted: {error}")
        if claims.issuer == ISSUER:
            return self._own_client(claims)
        return Caller(f"token:{claims.issuer}#{claims.subject}", claims.subject, claims.permissions)

    def _own_client(self, claims: Claims) -> Caller:
        """A token outlives neither its client nor the permissions that the client has."""
        found = self._directory.usable(claims.subject)
        if found is None:
            _refuse("the access token is not accepted: its client was revoked or has expired")
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
