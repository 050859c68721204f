"""The keys that sign access tokens, kept where every process of a deployment finds them (ADR 0014)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from common.ledger.access_tables import signing_keys

_LOCK = 0x7369676E
"""Advisory lock: "sign" in ASCII. Of several processes that find no young key, one makes it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key as a JWK."""

    id: str
    private_key: Mapping[str, Any]
    created_at: datetime


def younger_than(connection: Connection, age: timedelta) -> list[SigningKey]:
    """The newest first."""
    young = signing_keys.c.created_at > func.clock_timestamp() - age
    rows = connection.execute(select(signing_keys).where(young).order_by(signing_keys.c.created_at.desc()))
    return [SigningKey(**row._mapping) for row in rows]


def lock(connection: Connection) -> None:
    """Hold until the transaction ends: nobody else makes a key meanwhile."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def add(connection: Connection, key_id: str, private_key: Mapping[str, Any]) -> SigningKey:
    row = connection.execute(
        insert(signing_keys).values(id=key_id, private_key=dict(private_key)).returning(signing_keys)
    ).one()
    return SigningKey(**row._mapping)
