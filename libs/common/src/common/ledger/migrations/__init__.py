"""The ledger's schema, step by step. Every step is online: expand first, contract in a later release."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from common.ledger.engine import open_engine

_LOCK = 0x6D69677261746573
"""Advisory lock: "migrates" in ASCII. Several services may start at once; one migrates, the others wait."""


def upgrade(dsn: str) -> None:
    """Bring the database at `dsn` to the newest schema. Safe to call from every service at once."""
    engine = open_engine(dsn, name="backfill-migrations", pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(_config(connection), "head")
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
