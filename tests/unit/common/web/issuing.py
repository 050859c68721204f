"""An issuer of tokens, good and bad."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from common.web.auth.keys import PublicKey, usable_keys
from common.web.auth.tokens import Trusted

NOW = 1_800_000_000
ISSUER = "https://login.example.org/realm"
EC = ECKey.generate_key("P-256", {"kid": "ec"}, auto_kid=False)
RSA = RSAKey.generate_key(2048, {"kid": "rsa"}, auto_kid=False)
RSA_FOR_RS256 = RSAKey.import_key(RSA.as_dict(private=True) | {"alg": "RS256"})
STRANGE = ECKey.generate_key("P-256", {"kid": "ec"}, auto_kid=False)
ALGORITHMS = ["ES256", "RS256", "RS512", "PS256", "HS256", "none"]


class FixedKeys:
    """Keys that are simply there."""

    def __init__(self, *keys: ECKey | RSAKey) -> None:
        self._keys = usable_keys([key.as_dict(private=False) for key in keys])

    def find(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)


def trusted(**more: Any) -> dict[str, Trusted]:
    return {ISSUER: Trusted(**{"issuer": ISSUER, "keys": FixedKeys(EC, RSA_FOR_RS256), "audience": "backfill"} | more)}


def claims(**more: Any) -> dict[str, Any]:
    """Good claims; None leaves one out."""
    good = {
        "iss": ISSUER,
        "aud": "backfill",
        "sub": "workflow",
        "client_id": "workflow",
        "scope": "openid ingests:write bags:read",
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 3600,
    }
    return {name: value for name, value in (good | more).items() if value is not None}


def token(header: Mapping[str, Any] | None = None, *, key: Any = EC, **changed: Any) -> str:
    """A signed token; `header` over the usual one (None leaves a name out), the rest over the claims."""
    given = {"alg": "ES256", "kid": "ec", "typ": "at+jwt"} | dict(header or {})
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(kept, claims(**changed), key, algorithms=ALGORITHMS)


def signed_text(header: str, payload: str) -> str:
    """A token of exactly this JSON, rightly signed by EC."""
    start = f"{part(header)}.{part(payload)}".encode()
    signature = EC.get_op_key("sign").sign(start, *_ecdsa())
    return f"{start.decode()}.{_raw(signature)}"


def part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _ecdsa() -> tuple[Any, ...]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return (ec.ECDSA(hashes.SHA256()),)


def _raw(der: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()


def unsigned(header: Mapping[str, Any]) -> str:
    return f"{part(json.dumps(header))}.{part(json.dumps(claims()))}."


def with_hmac_of_the_public_key() -> str:
    """The old attack: the public key, which everybody has, taken as the secret of HS256."""
    start = f"{part(json.dumps({'alg': 'HS256', 'kid': 'ec', 'typ': 'at+jwt'}))}.{part(json.dumps(claims()))}"
    mac = hmac.new(EC.as_pem(private=False), start.encode(), hashlib.sha256).digest()
    return f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
