"""Migrated databases that are used again, because emptying one takes a tenth of the time of making another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from common.ledger.tables import metadata
from local_stack.servers.postgres_address import PostgresAddress
from servers.handles import fresh_name

_GROWTH = 8 << 20
"""Bytes of dead rows with which a database is not worth keeping."""

EMPTY = f"""
SET LOCAL session_replication_role = replica;
{"".join(f"DELETE FROM {name}; " for name in metadata.tables)}
SELECT setval((quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
"""Statements for one transaction, as nobody but a superuser may: the guards that keep what is registered are off.
Rows are deleted: TRUNCATE makes new files for every table and index, and takes twenty times as long."""

_STRUCTURE = """
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions, relrowsecurity) FROM pg_class
        WHERE oid >= 16384 AND relkind <> 't'
    UNION ALL SELECT concat_ws(' ', a.attrelid, attname, atttypid, attnotnull, attacl, attoptions, attisdropped)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid >= 16384 AND attnum > 0 AND relkind = 'r'
    UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_attrdef
    UNION ALL SELECT concat_ws(' ', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', oid, convalidated, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', indexrelid, indisvalid) FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION ALL SELECT version_num FROM alembic_version
) AS structure (line)
"""
"""Clones agree in this with each other and with themselves, until somebody changes more than rows."""


class Ledgers:
    """Lends migrated, empty databases. One that comes back is emptied, and given a name that nobody was told.

    Whoever still knows the old name, such as a thread that a test left behind, is cut off and finds nothing there.
    """

    def __init__(self, postgres: PostgresAddress, *, template: str) -> None:
        """`template` is not connected to."""
        self._postgres = postgres
        self._template = template
        self._free: list[str] = []
        self._fresh: tuple[str, int] | None = None
        """Structure and size of a clone that nobody used."""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The DSN of a database that is empty, like one just migrated, and that nobody else uses."""
        name = self._free.pop() if self._free else self._clone()
        try:
            yield self._postgres.dsn(name)
        finally:
            self._take_back(name)

    def close(self) -> None:
        """Drop what was kept."""
        while self._free:
            self._postgres.drop_database(self._free.pop())

    def _clone(self) -> str:
        name = fresh_name("test")
        dsn = self._postgres.create_database(name, template=self._template)
        if self._fresh is None:
            with psycopg.connect(dsn) as connection:
                self._fresh = _looked_at(connection)
        return name

    def _take_back(self, name: str) -> None:
        try:
            renamed = self._renamed(name)
        except psycopg.Error:  # somebody holds on to it
            self._postgres.drop_database(name)
            return
        if self._emptied(renamed):
            self._free.append(renamed)
        else:
            self._postgres.drop_database(renamed)

    def _renamed(self, name: str) -> str:
        other = fresh_name("test")
        with psycopg.connect(self._postgres.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(other))
            )
        return other

    def _emptied(self, name: str) -> bool:
        """Whether it is as good as a new one."""
        assert self._fresh is not None
        with psycopg.connect(self._postgres.dsn(name)) as connection:
            structure, size = _looked_at(connection)
            if structure != self._fresh[0] or size > self._fresh[1] + _GROWTH:
                return False
            connection.execute(EMPTY)
        return True


def _looked_at(connection: psycopg.Connection[tuple[str, int]]) -> tuple[str, int]:
    (structure,) = connection.execute(_STRUCTURE).fetchone() or ("",)
    (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return structure, size
