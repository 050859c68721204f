"""One database for a file of tests, emptied before each: a fresh one for every test would take most of their time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from common.ledger.engine import open_engine
from common.ledger.tables import metadata
from local_stack.servers.postgres_address import PostgresAddress
from servers.handles import fresh_name


@contextmanager
def a_ledger(postgres: PostgresAddress, template: str) -> Iterator[Engine]:
    """A migrated ledger; dropped at the end."""
    name = fresh_name("test")
    engine = open_engine(postgres.create_database(name, template=template), name="test", pool_size=20)
    try:
        yield engine
    finally:
        engine.dispose()
        postgres.drop_database(name)


def emptied(engine: Engine) -> Engine:
    """As nobody but a superuser can: the guards that keep what is registered are off."""
    tables = ", ".join(metadata.tables)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return engine
