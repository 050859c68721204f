"""The public keys of issuers: fetched over HTTPS and cached, or read from the ledger."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from sqlalchemy import Engine

from common.errors import TransientError
from common.ledger import signing_keys
from common.ledger.engine import transaction
from common.web.auth.signing import KEPT

log = structlog.get_logger()

PublicKey = RSAKey | ECKey | OKPKey

_AGAIN = 60.0
"""Seconds between two fetches, however many unknown keys are named: an issuer is asked at most once a minute."""
_FRESH = 3600.0
"""Seconds after which the keys are fetched again, so that withdrawn ones are forgotten."""
_LONGEST_DOCUMENT = 1 << 20
_SHORTEST_RSA = 2048


class IssuerUnavailable(TransientError):
    """The issuer's keys cannot be fetched."""


class Keys(Protocol):
    """The keys of one issuer."""

    def find(self, key_id: str) -> PublicKey | None:
        """The key of that id; None where the issuer has none. Raises TransientError."""
        ...


Load = Callable[[], Iterable[Mapping[str, Any]]]
"""Gets the JWKs. Raises TransientError."""


class CachedKeys:
    """Keys that are loaded when first needed, when an unknown one is named (not too often), and when they are old."""

    def __init__(
        self, load: Load, *, again: float = _AGAIN, fresh: float = _FRESH, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._again = again
        self._fresh = fresh
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._tried: float | None = None
        self._failure: TransientError | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str) -> PublicKey | None:
        with self._lock:
            age = self._age()
            if age > self._fresh or (key_id not in self._keys and age >= self._again):
                self._refresh()
            found = self._keys.get(key_id)
            if found is None and self._failure is not None:
                raise self._failure
            return found

    def _age(self) -> float:
        return float("inf") if self._tried is None else self._clock() - self._tried

    def _refresh(self) -> None:
        """Keys that were known stay known where the issuer cannot be reached."""
        self._tried = self._clock()
        try:
            self._keys, self._failure = usable_keys(self._load()), None
        except TransientError as error:
            log.warning("keys not loaded", error=str(error))
            self._failure = error


def usable_keys(documents: Iterable[Mapping[str, Any]]) -> dict[str, PublicKey]:
    """The public signature keys among JWKs by id; whatever else is there is left out."""
    found = {}
    for document in documents:
        key_id = document.get("kid") if isinstance(document, Mapping) else None
        if isinstance(key_id, str) and (key := _public(document)) is not None:
            found[key_id] = key
    return found


def _public(document: Mapping[str, Any]) -> PublicKey | None:
    if document.get("use", "sig") != "sig" or "verify" not in document.get("key_ops", ["verify"]):
        return None
    try:
        key = JWKRegistry.import_key({name: value for name, value in document.items() if name != "key_ops"})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey):
        return key if key.raw_value.key_size >= _SHORTEST_RSA else None
    return key if isinstance(key, ECKey | OKPKey) else None


def fetched_from(url: str, *, timeout: float = 5) -> Load:
    """Loads an issuer's JWKS document over HTTP."""

    def load() -> list[Mapping[str, Any]]:
        try:
            with httpx.stream("GET", url, timeout=timeout, follow_redirects=False) as answer:
                answer.raise_for_status()
                document = json.loads(_body(answer, url))
            return list(document["keys"])
        except (httpx.HTTPError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise IssuerUnavailable(f"the keys at {url} cannot be used: {str(error) or type(error).__name__}") from None

    return load


def _body(answer: httpx.Response, url: str) -> bytes:
    body = bytearray()
    for block in answer.iter_bytes():
        body += block
        if len(body) > _LONGEST_DOCUMENT:
            raise ValueError(f"more than {_LONGEST_DOCUMENT} bytes at {url}")
    return bytes(body)


def kept_in(engine: Engine) -> Load:
    """Loads the deployment's own keys from the ledger, those that may have signed a token that is still good."""

    def load() -> list[Mapping[str, Any]]:
        with transaction(engine) as connection:
            found = signing_keys.younger_than(connection, KEPT)
        return [{**_public_part(key.private_key), "kid": key.id} for key in found]

    return load


def _public_part(private: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in private.items() if name != "d"}
