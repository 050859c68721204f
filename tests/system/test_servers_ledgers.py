"""A database that tests use one after the other is for each as good as one just made."""

from __future__ import annotations

import psycopg
import pytest

from local_stack.servers.postgres_address import PostgresAddress
from servers.ledgers import Ledgers

OUTBOX = "INSERT INTO outbox (queue, body) VALUES ('q', '{}') RETURNING id"


@pytest.fixture
def fresh(postgres: PostgresAddress, migrated_template: str) -> Ledgers:
    """With nothing kept from other tests."""
    return Ledgers(postgres, template=migrated_template)


def oid(connection: psycopg.Connection[tuple[int]]) -> int:
    found = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert found is not None
    return found[0]


def test_it_is_the_same_one_without_rows_and_its_counters_start_again(fresh: Ledgers) -> None:
    seen = []
    for _ in range(2):
        with fresh.lent() as dsn, psycopg.connect(dsn) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM outbox").fetchone() or (None,)
            (number,) = connection.execute(OUTBOX).fetchone() or (None,)
            seen.append((oid(connection), rows, number))
    fresh.close()

    assert seen == [(seen[0][0], 0, 1)] * 2


def test_whoever_was_left_behind_is_cut_off_and_does_not_come_back(fresh: Ledgers) -> None:
    with fresh.lent() as dsn:
        left = psycopg.connect(dsn)

    with fresh.lent() as other, psycopg.connect(other) as connection:
        with pytest.raises(psycopg.OperationalError):
            left.execute(OUTBOX)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(dsn)
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    fresh.close()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE outbox ADD COLUMN more int",
        "ALTER TABLE ingests DISABLE TRIGGER USER",
        "DROP INDEX ix_ingests_created",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION owe_callback() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "UPDATE alembic_version SET version_num = 'more'",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'CET'); END $$",
    ],
)
def test_one_of_another_structure_is_not_lent_again(fresh: Ledgers, change: str) -> None:
    with fresh.lent() as dsn, psycopg.connect(dsn) as connection:
        changed = oid(connection)
        connection.execute(change)

    with fresh.lent() as dsn, psycopg.connect(dsn) as connection:
        assert oid(connection) != changed
    fresh.close()


def test_two_at_once_are_two(fresh: Ledgers) -> None:
    with fresh.lent() as one, fresh.lent() as other:
        assert one != other
    fresh.close()
