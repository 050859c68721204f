"""pgmq's tables and functions, from the SQL that the Python package ships: no server extension is needed.

That SQL cannot be run twice and knows no upgrades, so the version is noted on the schema. Queues hold only hints, so an
upgrade is `reinstall` with the workers stopped: the ledger creates every hint anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from pgmq.install import get_embedded_install_sql, get_embedded_sql_version
from psycopg.sql import SQL, Literal

LOCK = 0x6261636B70676D71
"""Key of the advisory lock under which the schema and the queues are made ("backpgmq")."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What the database has, beside what the package would install."""

    version: str
    """"unknown" where something else made the schema, such as the extension of an old server."""
    bundled: str

    @property
    def current(self) -> bool:
        return self.version == self.bundled


def install(dsn: str) -> Installed:
    """Make the schema if there is none; never touches one that is there. Any number of processes may call it at once.

    Needs CREATE on the database, the first time. Raises psycopg.Error.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if _version(connection) is None:
            _create(connection)
        return Installed(version=_version(connection) or "unknown", bundled=get_embedded_sql_version())


def reinstall(dsn: str) -> Installed:
    """Drop every queue with the hints in it and make the schema anew. Stop the workers first."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("DROP EXTENSION IF EXISTS pgmq CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")
        _create(connection)
        return Installed(version=_version(connection) or "unknown", bundled=get_embedded_sql_version())


def _create(connection: psycopg.Connection[Any]) -> None:
    connection.execute(get_embedded_install_sql().encode())
    note = SQL("COMMENT ON SCHEMA pgmq IS {}").format(Literal(f"pgmq {get_embedded_sql_version()}"))
    connection.execute(note)


def _version(connection: psycopg.Connection[Any]) -> str | None:
    """None where there is no schema."""
    row = connection.execute(
        """
        SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'pgmq'),
                        substring(obj_description(oid, 'pg_namespace') from '^pgmq (.*)$'), 'unknown')
        FROM pg_namespace WHERE nspname = 'pgmq'
        """
    ).fetchone()
    return row[0] if row else None
