"""One database for a file of tests, emptied before each, behind one engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from common.ledger.engine import open_engine
from servers.ledgers import EMPTY, Ledgers


@contextmanager
def a_ledger(ledgers: Ledgers) -> Iterator[Engine]:
    """A migrated, empty ledger, for as long as the block lasts."""
    with ledgers.lent() as dsn:
        engine = open_engine(dsn, name="test", pool_size=20)
        try:
            yield engine
        finally:
            engine.dispose()


def emptied(engine: Engine) -> Engine:
    """As nobody but a superuser can: the guards that keep what is registered are off."""
    with engine.begin() as connection:
        connection.exec_driver_sql(EMPTY)
    return engine
