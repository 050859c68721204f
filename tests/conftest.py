"""Real servers as fixtures. Nothing starts before a test asks; everything is gone when the run ends.

    database         a DSN of a migrated, empty database          postgres    .dsn(name) .create_database(name)
    s3_server        S3 with cold storage, one per worker          azurite     .endpoint .account_name .account_key
                     .endpoint … .clock .bucket() .client()                    .container() .sas(name, "rl") .client()
    seaweedfs        S3 with real storage: .bucket() .client()     rabbitmq    .url; skips where it is not installed
    sqs_url          kombu's URL of s3_server's SQS

The cold server's clock is frozen: `s3_server.clock.advance(hours=5)` is how time passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_stack.servers import rabbitmq as rabbitmq_server
from local_stack.servers import seaweedfs as seaweedfs_server
from local_stack.servers.azurite import AzuriteAddress
from local_stack.servers.postgres_address import PostgresAddress
from local_stack.servers.s3_address import S3Address
from servers.handles import AzureServer, Broker, S3Server, fresh_name
from servers.ledgers import Ledgers
from servers.run import Run

_RUN = pytest.StashKey[Run]()
_TEMPLATE = "template.done"


def pytest_configure(config: pytest.Config) -> None:
    told = getattr(config, "workerinput", None)
    if told is None:
        config.stash[_RUN] = Run.begin()
    else:
        config.stash[_RUN] = Run(directory=Path(told["servers"]), controller=told["controller"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    run = node.config.stash[_RUN]
    node.workerinput |= {"servers": str(run.directory), "controller": run.controller}


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or _RUN not in config.stash:
        return
    run = config.stash[_RUN]
    if (run.directory / _TEMPLATE).exists():  # a given server would keep it
        PostgresAddress(**run.server("postgres")).drop_database(_template_name(run))
    run.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole stacks first: they are shared by a file's tests, and what comes last is what workers divide among them."""
    items.sort(key=lambda item: "system" not in item.path.parts)


@pytest.fixture(scope="session")
def servers_run(request: pytest.FixtureRequest) -> Run:
    """The run's servers, for fixtures that need one more."""
    return request.config.stash[_RUN]


@pytest.fixture(scope="session")
def postgres(servers_run: Run) -> PostgresAddress:
    """The run's PostgreSQL server (or the one BACKFILL_DATABASE_URL names)."""
    return PostgresAddress(**servers_run.server("postgres"))


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresAddress, servers_run: Run) -> str:
    """A database that `common.ledger.migrations.upgrade` migrated, once per run. Clone it; do not connect to it."""
    name = _template_name(servers_run)
    done = servers_run.directory / _TEMPLATE
    with servers_run.once("template"):
        if not done.exists():
            _migrate(postgres.create_database(name))
            done.touch()
    return name


def _template_name(run: Run) -> str:
    return f"template-{run.directory.name}"


def _migrate(dsn: str) -> None:
    from common.ledger import migrations

    if upgrade := getattr(migrations, "upgrade", None):
        upgrade(dsn)


@pytest.fixture(scope="session")
def ledgers(postgres: PostgresAddress, migrated_template: str) -> Iterator[Ledgers]:
    """Migrated databases to be lent, one after the other or several at a time."""
    ledgers = Ledgers(postgres, template=migrated_template)
    yield ledgers
    ledgers.close()


@pytest.fixture
def database(ledgers: Ledgers) -> Iterator[str]:
    """The DSN of a migrated, empty database of the test's own."""
    with ledgers.lent() as dsn:
        yield dsn


@pytest.fixture
def empty_database(postgres: PostgresAddress) -> Iterator[str]:
    """The DSN of a fresh database without any table, dropped after the test."""
    name = fresh_name("empty")
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def s3_server(servers_run: Run) -> Iterator[S3Server]:
    """S3 with cold storage and SQS; one per worker, because tests move its clock."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    server = S3Server.at(S3Address(**servers_run.server("s3", name=f"s3-{worker}")))
    yield server
    server.clock.close()


@pytest.fixture(scope="session")
def sqs_url(s3_server: S3Server) -> str:
    """kombu's URL; its transport options are region "us-east-1" and is_secure False."""
    return f"sqs://{s3_server.access_key_id}:{s3_server.secret_access_key}@{urlsplit(s3_server.endpoint).netloc}"


@pytest.fixture(scope="session")
def azurite(servers_run: Run) -> AzureServer:
    """Azure Blob Storage; installs Azurite with npm where it is missing."""
    return AzureServer.at(AzuriteAddress(**servers_run.server("azurite")))


@pytest.fixture(scope="session")
def seaweedfs(servers_run: Run) -> S3Server:
    """An S3 server that checks checksums, signatures and expiry; it has no cold storage."""
    if why := seaweedfs_server.missing():
        pytest.skip(why)
    return S3Server.at(S3Address(**servers_run.server("seaweedfs")))


@pytest.fixture(scope="session")
def rabbitmq(servers_run: Run) -> Broker:
    """RabbitMQ; skips, with the remedy, where it is not installed."""
    if why := rabbitmq_server.missing():
        pytest.skip(why)
    return Broker(**servers_run.server("rabbitmq"))
