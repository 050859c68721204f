from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from servers.ledgers import Ledgers
from unit.bag_register.ledgers import a_ledger, emptied
from unit.ingests_api.builders import an_app, serving


@pytest.fixture(scope="module")
def ledger(ledgers: Ledgers) -> Iterator[Engine]:
    with a_ledger(ledgers) as engine:
        yield engine


@pytest.fixture
def engine(ledger: Engine) -> Engine:
    """The migrated, empty ledger of one test."""
    return emptied(ledger)


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    return an_app(engine)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serving(app) as client:
        yield client
