from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from local_stack.servers.postgres_address import PostgresAddress
from unit.bag_register.ledgers import a_ledger, emptied


@pytest.fixture(scope="module")
def ledger(postgres: PostgresAddress, migrated_template: str) -> Iterator[Engine]:
    with a_ledger(postgres, migrated_template) as engine:
        yield engine


@pytest.fixture
def engine(ledger: Engine) -> Engine:
    """The migrated, empty ledger of one test."""
    return emptied(ledger)
