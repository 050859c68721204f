"""The real ledger on PostgreSQL, in virtual time: the product's own SQL, triggers and migrations.

A schema before pg_catalog on the search path has a clock_timestamp() and a now() of its own, which every default, query
and trigger finds first. One connection serves all processes, one transaction at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg._preparing import Prepare
from psycopg._queries import PostgresQuery
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from common.ledger import migrations
from common.ledger.engine import open_engine
from invariants import install
from invariants.trail import Change
from simulation.world import Process

_CLOCKS = """
CREATE SCHEMA sim;
CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.current_setting('sim.now')::timestamptz $$;
CREATE FUNCTION sim.now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.current_setting('sim.now')::timestamptz $$;
"""
_QUESTIONS = """
CREATE FUNCTION sim.at(moment text, name text) RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config('sim.now', moment, false), set_config('application_name', name, false); END $$;
CREATE FUNCTION sim.look(since bigint) RETURNS SETOF audit.trail LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY SELECT * FROM audit.trail WHERE id > since ORDER BY id; END $$;
CREATE FUNCTION sim.pending(OUT hints boolean, OUT ingests boolean, OUT callback float8) LANGUAGE plpgsql AS
    $$ BEGIN
        callback := sim.seconds_to_callback(current_setting('sim.now'));
        hints := EXISTS (SELECT FROM outbox);
        ingests := EXISTS (SELECT FROM ingests i WHERE i.status IN ('accepted', 'processing'));
    END $$;
CREATE FUNCTION sim.seconds_to_callback(moment text) RETURNS float8 LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT extract(epoch FROM min(greatest(due_at, lease_until)) - moment::timestamptz)::float8
        FROM callbacks WHERE state = 'pending'); END $$;
CREATE FUNCTION sim.seconds_to_due(moment text) RETURNS float8 LANGUAGE plpgsql AS
    $$ BEGIN RETURN (SELECT extract(epoch FROM min(greatest(due_at, lease_until)) - moment::timestamptz)::float8 FROM (
        SELECT r.due_at, r.lease_until FROM replicas r WHERE r.state NOT IN ('registered', 'failed')
            AND (r.state <> 'transferring' OR NOT EXISTS (SELECT FROM segments o WHERE o.ingest_id = r.ingest_id
                AND o.state IN ('thawing', 'copying', 'verifying')))
        UNION ALL SELECT s.due_at, s.lease_until FROM segments s WHERE s.state IN ('thawing', 'copying', 'verifying')
    ) waiting); END $$;
"""
"""Functions rather than prepared statements: psycopg forgets those at every rollback."""

_TRUNCATED_AFTER = 50
"""Dead rows of so many seeds are still quickly passed over."""
_TRAIL = "id, actor, action, kind, row_id, ingest_id, was, now_is, was_fence, fence, was_holder, holder, held"


def prepare(dsn: str) -> None:
    """Make an empty database a ledger in virtual time."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_CLOCKS)
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = sim, public, pg_catalog')
        connection.execute(f"ALTER DATABASE \"{name}\" SET sim.now = '2026-01-05T09:00:00Z'")
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        connection.execute(f'ALTER DATABASE "{name}" SET jit = off')
    migrations.upgrade(dsn)
    with psycopg.connect(dsn) as connection:
        install(connection)
        connection.execute(_QUESTIONS)
        # Vacuum and statistics come when they please, and plans and the order of rows with them.
        for name in _tables(connection):
            connection.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = off)")


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('sim', 'audit') AND c.relkind = 'r' AND c.relname <> 'alembic_version' ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def _sequences(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE schemaname IN ('sim', 'audit')"
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class _Verbs:
    begin: str
    commit: str
    rollback: str


_ALONE = _Verbs("BEGIN", "COMMIT", "ROLLBACK")
_NESTED = _Verbs("SAVEPOINT one", "RELEASE SAVEPOINT one", "ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one")


@dataclass(frozen=True, slots=True)
class After:
    """What a commit left behind."""

    changes: list[Change]
    hints: bool
    """Some wait in the outbox."""
    open_ingests: bool
    callback: float | None
    """Seconds until somebody shall be called back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """See Ledger.mark."""

    name: str
    counted: list[tuple[int, bool]]
    """Of each sequence, its last value, and whether it was given out."""


class Ledger:
    """One connection to one prepared database."""

    def __init__(self, dsn: str) -> None:
        self.connection: Connection = open_engine(dsn, name="simulation", pool_size=1).connect()
        self.connection = self.connection.execution_options(isolation_level="AUTOCOMMIT")
        self.raw: psycopg.Connection[Any] = self.connection.connection.driver_connection  # type: ignore[assignment]
        # Every statement is sent again and again, and none outlives its tables.
        self.raw.prepare_threshold, self.raw.prepared_max = 0, 10_000
        self.seen = 0
        self.transactions = 0
        self.inside = False
        """A transaction is open."""
        self._verbs = _ALONE
        self._forgotten = 0
        self._tables = _tables(self.raw)
        self._sequences = _sequences(self.raw)
        self._counted = " UNION ALL ".join(f"SELECT last_value, is_called FROM {name}" for name in self._sequences)

    def begin(self, *, now: str, name: str) -> None:
        self.transactions += 1
        self.inside = True
        self._several(f"{self._verbs.begin}; SELECT sim.at('{now}', '{name}')")

    def tell_time(self, now: str) -> None:
        """For questions outside of transactions."""
        self._several(f"SELECT sim.at('{now}', 'simulation')")

    def rollback(self) -> None:
        self.inside = False
        self._bare(self._verbs.rollback)

    def commit(self) -> After:
        self.inside = False
        cursor = self._several(
            f"{self._verbs.commit}; SELECT {_TRAIL} FROM sim.look({self.seen}); SELECT * FROM sim.pending()"
        )
        cursor.nextset()
        changes = [Change(*row) for row in cursor.fetchall()]
        if changes:
            self.seen = changes[-1].id
        cursor.nextset()
        return After(changes, *cursor.fetchone())

    def seconds_to_due(self, now: str) -> float | None:
        """Until the next row is due; None: no row waits."""
        return self._several(f"SELECT sim.seconds_to_due('{now}')").fetchone()[0]

    def seconds_to_callback(self, now: str) -> float | None:
        """Until the next callback is due; None: nobody waits for one."""
        return self._several(f"SELECT sim.seconds_to_callback('{now}')").fetchone()[0]

    def forget(self) -> None:
        """Empty all tables, whatever the product's guards say, so that a seed is the same story wherever it runs.

        Deleting a seed's few rows takes a twentieth of the time of TRUNCATE, which is due once in a while only.
        """
        self._forgotten += 1
        if self._forgotten % _TRUNCATED_AFTER == 0:
            emptied = f"TRUNCATE {', '.join(self._tables)} RESTART IDENTITY"
        else:
            deletions = "; ".join(f"DELETE FROM {name}" for name in self._tables)
            restarts = ", ".join(f"setval('{name}', 1, false)" for name in self._sequences)
            emptied = f"{deletions}; SELECT {restarts}"
        # The guards that keep history and evidence are off meanwhile: a superuser may.
        self._several(f"BEGIN; SET LOCAL session_replication_role = replica; {emptied}; COMMIT")
        self.seen = 0

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Everything in the block is one transaction, rolled back at its end; transactions in it are savepoints.

        No statement of the product behaves otherwise in there: it has no constraints, triggers or locks that wait for
        the end of a transaction, and nobody else is connected.
        """
        self._bare("BEGIN")
        self._verbs = _NESTED
        try:
            yield
        finally:
            self._bare("ROLLBACK")
            self._verbs = _ALONE

    def mark(self, name: str) -> Mark:
        """The state to which `back_to` returns. Only within `undone`, and between transactions."""
        self._bare(f"SAVEPOINT {name}")
        return Mark(name, self.raw.execute(self._counted).fetchall())

    def back_to(self, mark: Mark) -> None:
        """Forget what happened since, and that the mark was set."""
        self._bare(f"ROLLBACK TO SAVEPOINT {mark.name}; RELEASE SAVEPOINT {mark.name}")
        # Sequences do not take part in transactions.
        restored = zip(self._sequences, mark.counted, strict=True)
        self._several("SELECT " + ", ".join(f"setval('{name}', {last}, {used})" for name, (last, used) in restored))

    def prepare_no_more(self) -> None:
        """Statements that are prepared stay so. For one who shares the connection with others who would not know.

        A threshold does not do: executemany prepares whatever it is.
        """
        manager = self.raw._prepared

        def known(query: PostgresQuery, prepare: bool | None = None) -> tuple[Prepare, bytes]:
            name = manager._names.get(manager.key(query))
            return (Prepare.YES, name) if name else (Prepare.NO, b"")

        manager.get = known  # type: ignore[method-assign]

    def _bare(self, statements: str) -> None:
        """Not by psycopg, which would forget its prepared statements at a rollback; PostgreSQL keeps them."""
        result = self.raw.pgconn.exec_(statements.encode())
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.get_error_message())

    def _several(self, statements: str) -> psycopg.Cursor[Any]:
        """Statements in one round trip; each text is another one, so there is nothing to prepare."""
        return self.raw.execute(statements, prepare=False)

    def close(self) -> None:
        self.connection.close()


class SimulatedEngine:
    """What `common.ledger.engine.transaction` is given as an Engine: one process's way to the ledger."""

    def __init__(self, ledger: Ledger, process: Process, *, down: Callable[[], bool], after: Callable[[After], None]):
        self._ledger = ledger
        self._process = process
        self._down = down
        self._after = after

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        process = self._process
        fault = process.point("begin", "ledger_refuses")
        if fault or self._down():
            raise _lost("connection refused")
        self._ledger.begin(now=process.world.clock.isoformat(), name=process.name)
        process.in_transaction = True
        try:
            yield self._ledger.connection
            self._end()
        except BaseException:
            if process.in_transaction:
                self._ledger.rollback()
            raise
        finally:
            process.in_transaction = False

    def _end(self) -> None:
        process = self._process
        fault = process.point("commit", "ledger_loses", "ledger_keeps_silent", "kill_after_commit")
        if fault and fault.kind == "ledger_loses":
            raise _lost("server closed the connection unexpectedly")
        after = self._ledger.commit()
        process.in_transaction = False
        self._after(after)
        if fault and fault.kind == "kill_after_commit":
            process.die()
        if fault:
            raise _lost("server closed the connection unexpectedly")


def _lost(told: str) -> OperationalError:
    return OperationalError("COMMIT", {}, psycopg.OperationalError(told))
