"""The built-in issuer: signs access tokens (RFC 9068, ES256) for the deployment's own clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import Engine

from common.ledger import signing_keys
from common.ledger.engine import transaction
from common.ledger.signing_keys import SigningKey
from common.web.auth.caller import Permission

ISSUER = AUDIENCE = "backfill"
ALGORITHM = "ES256"
_SIGNS = timedelta(days=30)
"""How long a key signs; then the next token gets a new one."""
LONGEST_LIFE = timedelta(days=1)
"""Of a token."""
KEPT = _SIGNS + LONGEST_LIFE + timedelta(hours=1)
"""How long a key is accepted: until every token that it signed has expired."""
_LOOKED_UP_EVERY = 3600.0


class Signer:
    """Makes tokens; safe to share between threads and processes."""

    def __init__(
        self,
        engine: Engine,
        *,
        life: timedelta,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._life = life
        self._now = now
        self._clock = clock
        self._key: tuple[float, SigningKey] | None = None
        self._lock = threading.Lock()

    @property
    def life(self) -> int:
        """Seconds that a token is good for."""
        return int(self._life.total_seconds())

    def token(self, client_id: str, permissions: Iterable[Permission]) -> str:
        """An access token for a client. Raises LedgerUnavailable."""
        key, now = self._signing_key(), int(self._now())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client_id,
            "client_id": client_id,
            "scope": " ".join(sorted(permissions)),
            "iat": now,
            "exp": now + self.life,
            "jti": str(uuid4()),
        }
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": key.id}
        return jwt.encode(header, claims, ECKey.import_key(dict(key.private_key)), algorithms=[ALGORITHM])

    def _signing_key(self) -> SigningKey:
        with self._lock:
            if self._key is None or self._clock() - self._key[0] > _LOOKED_UP_EVERY:
                self._key = (self._clock(), self._young_key())
            return self._key[1]

    def _young_key(self) -> SigningKey:
        with transaction(self._engine) as connection:
            signing_keys.lock(connection)
            if young := signing_keys.younger_than(connection, _SIGNS):
                return young[0]
            key = ECKey.generate_key("P-256", private=True, auto_kid=False)
            return signing_keys.add(connection, key.thumbprint(), key.as_dict(private=True))
