"""Who may call: OAuth clients and API keys. What is kept of a secret is its SHA-256."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from common.ledger import actions
from common.ledger.access_tables import clients
from common.ledger.columns import NOW

_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client (`kind` "client") or an API key (`kind` "key")."""

    id: str
    kind: str
    name: str
    secret_sha256: str
    """Hexadecimal."""
    permissions: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client to be."""

    id: str
    kind: str
    name: str
    secret_sha256: str
    permissions: tuple[str, ...]
    expires_at: datetime | None = None


def add(connection: Connection, new: NewClient, *, who: str, why: str = "") -> Client:
    """Let somebody in. Raises IntegrityError where the id exists."""
    row = connection.execute(
        insert(clients)
        .values(
            id=new.id,
            kind=new.kind,
            name=new.name,
            secret_sha256=new.secret_sha256,
            permissions=sorted(new.permissions),
            expires_at=new.expires_at,
            created_by=who,
        )
        .returning(clients)
    ).one()
    detail = {"name": new.name, "permissions": sorted(new.permissions)}
    actions.record(connection, who=who, what=f"{new.kind} created", subject=_subject(row), why=why, detail=detail)
    return _client(row)


def find(connection: Connection, client_id: str) -> Client | None:
    """Whatever became of it; `usable` tells whether it may still call."""
    row = connection.execute(select(clients).where(clients.c.id == client_id)).one_or_none()
    return None if row is None else _client(row)


def find_usable(connection: Connection, client_id: str) -> Client | None:
    """None where it is unknown, revoked or expired, by the database's clock."""
    row = connection.execute(select(clients).where(clients.c.id == client_id, _usable())).one_or_none()
    return None if row is None else _client(row)


def every(connection: Connection) -> list[Client]:
    """Revoked ones too; the oldest first."""
    return [_client(row) for row in connection.execute(select(clients).order_by(clients.c.created_at, clients.c.id))]


def revoke(connection: Connection, client_id: str, *, who: str, why: str = "") -> Client | None:
    """Shut a client out. Twice: nothing happens. None where there is no such client."""
    row = connection.execute(
        update(clients)
        .where(clients.c.id == client_id, clients.c.revoked_at.is_(None))
        .values(revoked_at=NOW)
        .returning(clients)
    ).one_or_none()
    if row is None:
        return find(connection, client_id)
    actions.record(connection, who=who, what=f"{row.kind} revoked", subject=_subject(row), why=why)
    return _client(row)


def note_use(connection: Connection, client_ids: Iterable[str]) -> None:
    """They called just now; written down at most once a minute, so that calls do not queue for a row."""
    stale = or_(clients.c.last_used_at.is_(None), clients.c.last_used_at < func.now() - _USE_NOTED_EVERY)
    connection.execute(update(clients).where(clients.c.id.in_(list(client_ids)), stale).values(last_used_at=NOW))


def _usable() -> ColumnElement[bool]:
    unexpired = or_(clients.c.expires_at.is_(None), clients.c.expires_at > func.clock_timestamp())
    return clients.c.revoked_at.is_(None) & unexpired


def _subject(row: object) -> str:
    return f"{row.kind}:{row.id}"  # type: ignore[attr-defined]


def _client(row: object) -> Client:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    return Client(**values | {"permissions": tuple(values["permissions"])})
