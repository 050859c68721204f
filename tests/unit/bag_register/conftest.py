from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from servers.ledgers import Ledgers
from unit.bag_register.builders import Register
from unit.bag_register.ledgers import a_ledger, emptied


@pytest.fixture(scope="module")
def ledger(ledgers: Ledgers) -> Iterator[Engine]:
    with a_ledger(ledgers) as engine:
        yield engine


@pytest.fixture
def engine(ledger: Engine) -> Engine:
    """The migrated, empty ledger of one test."""
    return emptied(ledger)


@pytest.fixture
def register(engine: Engine) -> Register:
    """A register with the empty locations "cold" and "azure", and its own record store."""
    return Register(engine)


@pytest.fixture
def client(register: Register) -> Iterator[httpx.Client]:
    with register.serving() as client:
        yield client
