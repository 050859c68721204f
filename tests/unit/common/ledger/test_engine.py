"""Connections to the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from common.errors import LedgerUnavailable
from common.ledger.engine import open_engine, reading, transaction


def ended_by_the_server(engine: Engine, other: Engine) -> int:
    """The backend of a connection that `engine` keeps, after the server has ended it."""
    with reading(engine) as connection:
        backend: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with transaction(other) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:backend, 10000)"), {"backend": backend})
    return backend


@pytest.fixture
def one(database: str) -> Iterator[Engine]:
    """Asks its only connection whether it stands, however short it rested."""
    engine = open_engine(database, name="test", pool_size=1, trusted=0)
    yield engine
    engine.dispose()


def test_a_connection_that_broke_while_it_rested_is_replaced(one: Engine, engine: Engine) -> None:
    broken = ended_by_the_server(one, engine)

    with transaction(one) as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != broken


def test_one_that_broke_within_the_second_is_unavailable_once(database: str, engine: Engine) -> None:
    one = open_engine(database, name="test", pool_size=1, trusted=60)
    ended_by_the_server(one, engine)

    with pytest.raises(LedgerUnavailable), reading(one) as connection:
        connection.execute(text("SELECT 1"))
    with reading(one) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    one.dispose()


def test_reading_holds_no_transaction_and_the_next_user_has_one_again(one: Engine) -> None:
    with reading(one) as connection:
        first, second = (connection.execute(text("SELECT txid_current()")).scalar_one() for _ in range(2))
    with transaction(one) as connection:
        third, fourth = (connection.execute(text("SELECT txid_current()")).scalar_one() for _ in range(2))

    assert first != second
    assert third == fourth
