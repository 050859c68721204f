"""Connecting to PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from common.errors import LedgerUnavailable

_TRY_AGAIN = ("08", "40001", "40P01", "53", "55P03", "57P", "25006")
"""SQLSTATE beginnings after which the same transaction may work: connection, conflicts, resources, locks, shutdown."""


_TRUSTED = 1.0
"""Seconds for which a connection that was in use is taken to be good."""
_RESTS_SINCE = "rests since"


def sqlalchemy_url(dsn: str) -> str:
    """The DSN with the driver named, for SQLAlchemy."""
    for scheme in ("postgresql://", "postgres://"):
        if dsn.startswith(scheme):
            return "postgresql+psycopg://" + dsn.removeprefix(scheme)
    return dsn


def open_engine(dsn: str, *, name: str, pool_size: int = 5, trusted: float = _TRUSTED) -> Engine:
    """An engine whose connections show `name` in pg_stat_activity. Connects when first used.

    A connection that has rested for more than `trusted` seconds is asked whether it stands before it is used.
    """
    engine = create_engine(
        sqlalchemy_url(dsn),
        pool_size=pool_size,
        max_overflow=pool_size,
        # Whoever was used last knows its statements and is in the processor's caches.
        pool_use_lifo=True,
        pool_timeout=10,
        connect_args={
            "application_name": name,
            "connect_timeout": 5,
            "options": "-c statement_timeout=120000 -c idle_in_transaction_session_timeout=120000",
        },
    )
    _ask_after_rest(engine, trusted=trusted)
    return engine


def _ask_after_rest(engine: Engine, *, trusted: float) -> None:
    """A connection that has rested is asked whether it still stands before it is used, and replaced where it does not.

    One that was in use a moment ago is not: that would be one more round trip for each request. Where it breaks
    just then, its user is told LedgerUnavailable, as where it breaks in use.
    """

    @event.listens_for(engine, "checkin")
    def rests(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def is_wanted(connection: DBAPIConnection, record: ConnectionPoolEntry, _fairy: object) -> None:
        since = record.info.get(_RESTS_SINCE)
        if since is not None and time.monotonic() - since > trusted:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError(str(error)) from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back by an exception.

    Raises LedgerUnavailable where the database cannot be reached or asks to try again.
    After LedgerUnavailable from the commit itself it is unknown whether the transaction took effect.
    """
    with _told_apart(), engine.begin() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction to read in: all its statements see the ledger as it was at one moment. Raises as `transaction`."""
    with transaction(engine.execution_options(isolation_level="REPEATABLE READ")) as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read from, without a transaction: each statement sees what was committed before it.

    Saves the round trips that begin and end a transaction. Raises LedgerUnavailable, as `transaction`.
    """
    with _told_apart(), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
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
