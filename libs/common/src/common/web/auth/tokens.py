"""Whether an access token is good: every rule of it in one place (RFC 7519, 8725, 9068)."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from common.web.auth.caller import Permission
from common.web.auth.keys import Keys, PublicKey

ALGORITHMS = ("ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519")
"""Ours to choose, never the token's. Neither none nor HS*, so no public key can be taken for a secret."""
LONGEST = 8192
"""Characters of a token."""
LEEWAY = 60
"""Seconds that clocks may differ."""
_TYPES = ("jwt", "at+jwt", "application/at+jwt")
_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash")


class BadToken(Exception):
    """The token proves nothing; the message says why, and is for its holder."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """An issuer whose tokens are taken, and what they must say."""

    issuer: str
    keys: Keys
    audience: str | None = None
    """Must be among the token's `aud`. Amazon Cognito's access tokens have none: there `clients` is asked for."""
    clients: frozenset[str] = frozenset()
    """The `client_id` or `azp` must be one of these, if there are any."""
    scopes: Mapping[str, Sequence[Permission]] = field(default_factory=dict)
    """What the issuer's scopes mean here, beside our own names."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says."""

    issuer: str
    subject: str
    client: str | None
    permissions: frozenset[Permission]
    expires: float
    """Seconds since 1970 from which on it is not good any more."""


def verified(token: str, trusted: Mapping[str, Trusted], *, now: float) -> Claims:
    """What the token says. `trusted` by issuer; `now` in seconds since 1970. Raises BadToken, TransientError."""
    header, claims = _read(token)
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in trusted:
        raise BadToken("the issuer (iss) is not one that is trusted here")
    expected = trusted[issuer]
    _check_signature(token, header, expected.keys)
    expires = _check_times(claims, now)
    _check_use(claims)
    client = _client(claims)
    _check_audience(claims, client, expected)
    subject = claims.get("sub", client)
    if not isinstance(subject, str) or not subject:
        raise BadToken("it names no subject (sub)")
    return Claims(issuer, subject, client, _permissions(claims, expected), expires)


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, which nothing vouches for yet."""
    if len(token) > LONGEST:
        raise BadToken(f"it is longer than {LONGEST} characters")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        raise BadToken("it is no JSON Web Token")
    return _object(parts[0]), _object(parts[1])


def _object(part: str) -> dict[str, Any]:
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(decoded.decode(), object_pairs_hook=_no_twice)
    except (ValueError, binascii.Error, RecursionError):
        raise BadToken("it is no JSON Web Token") from None
    if not isinstance(found, dict):
        raise BadToken("it is no JSON Web Token")
    return found


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _check_signature(token: str, header: Mapping[str, Any], keys: Keys) -> None:
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in ALGORITHMS:
        raise BadToken("its algorithm (alg) is not accepted")
    if "crit" in header or "b64" in header:
        raise BadToken("it asks for extensions (crit) that are not known here")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise BadToken("it is not an access token (typ)")
    if not isinstance(key_id, str):
        raise BadToken("it does not name its key (kid)")
    key = keys.find(key_id)
    if key is None:
        raise BadToken("its key (kid) is not one of the issuer's")
    if not _signed(token, key, str(algorithm)):
        raise BadToken("its signature is wrong")


def _signed(token: str, key: PublicKey, algorithm: str) -> bool:
    try:
        jws.deserialize_compact(token, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    """When it is not good any more."""
    expires = _instant(claims, "exp")
    if expires is None:
        raise BadToken("it has no end (exp)")
    if now >= expires + LEEWAY:
        raise BadToken("it has expired: ask for a new one")
    for name in ("nbf", "iat"):
        begins = _instant(claims, name)
        if begins is not None and now < begins - LEEWAY:
            raise BadToken(f"it is not valid yet ({name}): compare the clocks")
    return expires + LEEWAY


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadToken(f"{name} is no time")
    return value


def _check_use(claims: Mapping[str, Any]) -> None:
    """ID tokens are for the application that a person logs in to; they open nothing here."""
    use, kind = claims.get("token_use", "access"), claims.get("typ", "Bearer")
    if use != "access" or kind != "Bearer" or any(name in claims for name in _OF_ID_TOKENS):
        raise BadToken("it is not an access token")


def _client(claims: Mapping[str, Any]) -> str | None:
    found = claims.get("client_id", claims.get("azp"))
    return found if isinstance(found, str) else None


def _check_audience(claims: Mapping[str, Any], client: str | None, expected: Trusted) -> None:
    given = claims.get("aud", [])
    audiences = given if isinstance(given, list) else [given]
    if expected.audience is not None and expected.audience not in audiences:
        raise BadToken("it is meant for somebody else (aud)")
    if expected.clients and client not in expected.clients:
        raise BadToken("its client (client_id) is not one that may call")
    if expected.audience is None and not expected.clients:
        raise BadToken("nothing says whom its issuer's tokens are for")


def _permissions(claims: Mapping[str, Any], expected: Trusted) -> frozenset[Permission]:
    given = claims.get("scope", claims.get("scp", ""))
    names = given.split() if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadToken("its scopes (scope) are no list of words")
    return frozenset(permission for name in names for permission in _meaning(name, expected))


def _meaning(name: str, expected: Trusted) -> Sequence[Permission]:
    if name in expected.scopes:
        return expected.scopes[name]
    return [Permission(name)] if name in list(Permission) else []
