from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from common.ledger.engine import open_engine


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """The migrated, empty ledger of one test."""
    engine = open_engine(database, name="test", pool_size=5)
    yield engine
    engine.dispose()
