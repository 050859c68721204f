from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import Engine

from backfill_client import BackfillClient
from common.domain.location import LocationId
from common.web.auth import everyone
from ingests_api.api import make_app
from ingests_api.choosing import Offer
from ingests_api.surroundings import Surroundings
from servers.ledgers import Ledgers
from unit.backfill_client.deployment import Deployment
from unit.bag_register.builders import Register
from unit.bag_register.ledgers import a_ledger, emptied
from unit.ingests_api.builders import serving


@pytest.fixture
def quiet() -> Iterator[None]:
    """The servers run in the test's own process: their log lines would mix with what the command line prints."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def ledger(ledgers: Ledgers) -> Iterator[Engine]:
    with a_ledger(ledgers) as engine:
        yield engine


@pytest.fixture
def engine(ledger: Engine) -> Engine:
    """The migrated, empty ledger of one test."""
    return emptied(ledger)


@pytest.fixture
def deployment(engine: Engine, quiet: None) -> Iterator[Deployment]:
    """Both APIs behind real servers, over one ledger with the locations "cold" and "azure"."""
    register = Register(engine)
    locations = {id: config.location for id, config in register.stores.configs.items()}
    offer = Offer(locations=locations, writable=frozenset({LocationId("azure")}))
    app = make_app(Surroundings(engine=engine, offer=offer, new_id=uuid4, guard=everyone(), wake_relay=lambda: None))
    with register.serving() as register_http, serving(app) as ingests_http:
        yield Deployment(register, api=str(ingests_http.base_url), register_api=str(register_http.base_url))


@pytest.fixture
def client(deployment: Deployment) -> Iterator[BackfillClient]:
    with BackfillClient(deployment.api, register=deployment.register_api) as client:
        yield client
