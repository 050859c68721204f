"""Connecting to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from common.errors import LedgerUnavailable

_TRY_AGAIN = ("08", "40001", "40P01", "53", "57P", "25006")
"""SQLSTATE beginnings after which the same transaction may work: connection, serialisation, resources, shutdown."""


def sqlalchemy_url(dsn: str) -> str:
    """The DSN with the driver named, for SQLAlchemy."""
    for scheme in ("postgresql://", "postgres://"):
        if dsn.startswith(scheme):
            return "postgresql+psycopg://" + dsn.removeprefix(scheme)
    return dsn


def open_engine(dsn: str, *, name: str, pool_size: int = 5) -> Engine:
    """An engine whose connections show `name` in pg_stat_activity. Connects when first used."""
    return create_engine(
        sqlalchemy_url(dsn),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={
            "application_name": name,
            "connect_timeout": 5,
            "options": "-c statement_timeout=120000 -c idle_in_transaction_session_timeout=120000",
        },
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back by an exception.

    Raises LedgerUnavailable where the database cannot be reached or asks to try again.
    After LedgerUnavailable from the commit itself it is unknown whether the transaction took effect.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except PoolTimeout as error:
        raise LedgerUnavailable(f"no database connection became free: {error}") from error
    except DBAPIError as error:
        if _transient(error):
            raise LedgerUnavailable(f"PostgreSQL: {str(error.orig).strip().splitlines()[0]}") from error
        raise


def _transient(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return str(state).startswith(_TRY_AGAIN)
