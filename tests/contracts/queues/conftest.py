"""The brokers that the courier's contract is held against. Each test has queues of its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from common.adapters.queues import pgmq_schema
from common.adapters.queues.registry import open_courier
from common.ports import Courier
from local_stack.servers import rabbitmq
from local_stack.servers.postgres import Postgres
from local_stack.servers.postgres_address import PostgresAddress
from local_stack.servers.rabbitmq import RabbitMQ


@dataclass
class Broker:
    """A broker, and the couriers a test opened to it."""

    name: str
    url: str
    prefix: str
    visibility_timeout: int = 60
    _open: list[Courier] = field(default_factory=list)

    def courier(self, *queues: str) -> Courier:
        """A new courier that has declared the queues."""
        courier = open_courier(self.url, prefix=self.prefix, visibility_timeout=self.visibility_timeout)
        self._open.append(courier)
        if queues:
            courier.declare(queues)
        return courier

    def close(self) -> None:
        for courier in self._open:
            courier.close()


NAMES = ["memory", "pgmq", "rabbitmq", "sqs"]


@pytest.fixture(params=NAMES)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    yield from _broker(request.param, request)


@pytest.fixture(params=NAMES[1:])
def remote_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker that other processes can reach."""
    yield from _broker(request.param, request)


@pytest.fixture
def pgmq_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    yield from _broker("pgmq", request)


@pytest.fixture
def rabbitmq_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    yield from _broker("rabbitmq", request)


@pytest.fixture
def sqs_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    yield from _broker("sqs", request)


def _broker(name: str, request: pytest.FixtureRequest) -> Iterator[Broker]:
    prefix = f"t{secrets.token_hex(3)}_"
    url = f"memory://{prefix}" if name == "memory" else request.getfixturevalue(f"{name}_url")
    made = Broker(name=name, url=url, prefix=prefix)
    yield made
    made.close()


@pytest.fixture(scope="session")
def pgmq_url(postgres: PostgresAddress) -> Iterator[str]:
    name = f"queues_{secrets.token_hex(4)}"
    dsn = postgres.create_database(name)
    pgmq_schema.install(dsn)
    yield dsn
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def rabbitmq_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("rabbitmq").url
    return url


@pytest.fixture(scope="session")
def sqs_url(sqs_url: str) -> str:
    return f"{sqs_url}/?region=us-east-1"


@pytest.fixture
def private_server() -> Iterator[Callable[[str], Killable]]:
    """Starts a server of the test's own, to be killed: those of the run are for tests that behave."""
    with ExitStack() as servers:
        yield lambda name: Killable(servers.enter_context(_server(name)))


def _server(name: str) -> Postgres | RabbitMQ:
    if name == "pgmq":
        return Postgres()
    if why := rabbitmq.missing():
        pytest.skip(why)
    return RabbitMQ()


class Killable:
    """A broker that a test kills and starts again."""

    def __init__(self, server: Postgres | RabbitMQ) -> None:
        self._server = server
        self.kill = server.kill
        self.restart = server.restart
        if isinstance(server, Postgres):
            pgmq_schema.install(self.url)

    @property
    def url(self) -> str:
        return self._server.dsn() if isinstance(self._server, Postgres) else self._server.url
