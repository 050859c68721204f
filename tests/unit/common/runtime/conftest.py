from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import Engine

from common.ledger.engine import open_engine


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """The migrated, empty ledger of one test."""
    engine = open_engine(database, name="test", pool_size=20)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Errors on purpose need no traceback on the terminal."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
