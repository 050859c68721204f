"""The ledger's schema, step by step. Every step is online: expand first, contract in a later release."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from common.errors import LedgerUnavailable
from common.ledger.engine import open_engine
from common.ledger.migrations.online import LOCK_TIMEOUT

log = structlog.get_logger()

_LOCK = 0x6D69677261746573
"""Advisory lock: "migrates" in ASCII. Several services may start at once; one migrates, the others wait."""

_PAUSE = 0.2
_LONGEST = 600.0
_LOCK_NOT_AVAILABLE = "55P03"


def upgrade(dsn: str, *, to: str = "head") -> None:
    """Bring the database at `dsn` to the newest schema. Safe to call from every service at once, while others work.

    A schema that is newer than this release is left as it is: a later release has expanded it, and only expanded.
    Raises LedgerUnavailable where others hold their locks for longer than ten minutes.
    """
    engine = open_engine(dsn, name="backfill-migrations", pool_size=2)
    try:
        with _alone(engine):
            _patiently(engine, to=to)
    finally:
        engine.dispose()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold the lock, outside any transaction.

    It is tried again and again instead of waited for: who waits inside a statement holds a snapshot, and an index
    that is built concurrently waits for every snapshot, so that the two would wait for each other.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
            time.sleep(_PAUSE)
        yield


def _patiently(engine: Engine, *, to: str) -> None:
    """Whoever waits for an exclusive lock makes all others wait behind it: ask shortly, let them pass, ask again."""
    deadline = time.monotonic() + _LONGEST
    while True:
        try:
            with engine.connect() as connection:
                _migrate(connection, to=to)
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() > deadline:
                raise LedgerUnavailable("a migration could not lock a table: a transaction never ends") from error
            log.info("migration waits for a transaction to end", error=str(error.orig).strip().splitlines()[0])
            time.sleep(_PAUSE)


def _migrate(connection: Connection, *, to: str) -> None:
    config = _config(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and not _known(config, current):
        log.warning("the schema is newer than this release", revision=current)
        return
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    command.upgrade(config, to)


def _known(config: Config, revision: str) -> bool:
    return any(script.revision == revision for script in ScriptDirectory.from_config(config).walk_revisions())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
