"""The issuers file: whose tokens are taken besides our own.

[issuers.cognito]
issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE"
clients = ["4mbk…"]
scopes = { "https://api.example.org/storage/v1/ingests" = ["ingests:read", "ingests:write"] }

[issuers.keycloak]
issuer = "https://login.example.org/realms/archive"
jwks_url = "https://login.example.org/realms/archive/protocol/openid-connect/certs"
audience = "backfill"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from common.errors import ConfigurationError
from common.web.auth.caller import Permission
from common.web.auth.keys import CachedKeys, fetched_from
from common.web.auth.signing import ISSUER
from common.web.auth.tokens import Trusted

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class IssuerConfig(BaseModel):
    """One issuer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1)
    """Exactly what its tokens have as `iss`."""
    jwks_url: str = ""
    """Where its keys are; `<issuer>/.well-known/jwks.json` where empty."""
    audience: str | None = None
    """What its tokens must have among `aud`."""
    clients: frozenset[str] = frozenset()
    """The `client_id` (or `azp`) that its tokens must have, one of these. Needed where there is no audience."""
    scopes: dict[str, list[Permission]] = Field(default_factory=dict)
    """What its scopes mean here; ours need not be listed."""

    @property
    def keys_at(self) -> str:
        return self.jwks_url or f"{self.issuer.rstrip('/')}/.well-known/jwks.json"

    @field_validator("issuer")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        if value == ISSUER:
            raise ValueError(f"{ISSUER!r} is the built-in issuer's name")
        return value

    @model_validator(mode="after")
    def _safe(self) -> IssuerConfig:
        address = urlsplit(self.keys_at)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise ValueError(f"jwks_url: {self.keys_at!r} must begin with https://")
        if self.audience is None and not self.clients:
            raise ValueError("audience or clients: name one, or every token of this issuer would be taken")
        return self

    def trusted(self) -> Trusted:
        return Trusted(
            issuer=self.issuer,
            keys=CachedKeys(fetched_from(self.keys_at)),
            audience=self.audience,
            clients=self.clients,
            scopes=self.scopes,
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    issuers: dict[str, IssuerConfig]


def read_issuers(path: Path) -> list[Trusted]:
    """The issuers of the file. Raises ConfigurationError naming every problem at once."""
    try:
        found = _File.model_validate(tomllib.loads(path.read_text("utf-8"))).issuers.values()
    except OSError as error:
        raise ConfigurationError(f"BACKFILL_ISSUERS: {path} cannot be read ({error.strerror}).") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"BACKFILL_ISSUERS: {path} is not TOML ({error}).") from None
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise ConfigurationError(f"BACKFILL_ISSUERS: {path} is wrong:\n" + "\n".join(lines)) from None
    names = [one.issuer for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"BACKFILL_ISSUERS: {path} names {', '.join(twice)} more than once.")
    return [one.trusted() for one in found]
