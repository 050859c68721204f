"""The whole stack on one machine: PostgreSQL, S3 with cold storage, Azurite, the six services and one port."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import boto3
import httpx
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas
from botocore.config import Config

from local_stack.access import Certificate, ensure_client
from local_stack.processes import Keeper, Launch, Service, launch_python
from local_stack.servers.azurite import Azurite, ensure_azurite
from local_stack.servers.cold_s3 import ColdS3
from local_stack.servers.ports import free_port
from local_stack.servers.postgres import open_postgres
from local_stack.settings import (
    PERMISSIONS,
    SERVICES,
    SOURCE,
    WITH_HTTP,
    AzurePlace,
    S3Place,
    common_environment,
    locations_file,
)

BUCKET = "archive"
CONTAINER = "replica"
_SECONDS = 180.0
"""For all services together to be ready: a second of CPU each, on a machine that may be busy."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How a stack is started."""

    directory: Path
    """Where data, logs and locations files lie."""
    repository: Path
    """Where package.json is."""
    port: int | None = None
    """The API's port; a free one where None."""
    database: str = "backfill"
    broker: str | None = None
    """Another broker than the ledger's own database."""
    ratio: float = 3600
    """Simulated seconds of thawing per real second."""
    durable: bool = True
    certificate: Certificate | None = None
    """The API is served over https with this."""
    settings: dict[str, str] = field(default_factory=dict)
    """Further environment for every service."""
    copies: int = 1
    """Processes of each worker. The second verifier is the service "verifier-2"."""
    launch: Launch = launch_python


class Stack:
    """Starts everything in order, and stops everything in reverse."""

    def __init__(self, options: StackOptions, *, say: Say = lambda _: None) -> None:
        self._options = options
        self._say = say
        logs = options.directory / "logs"
        self.postgres = open_postgres(
            options.directory / "postgres", log=logs / "postgres.log", durable=options.durable
        )
        self.s3 = ColdS3(log=logs / "s3.log", ratio=options.ratio)
        self.azurite = Azurite(options.directory / "azurite", repository=options.repository, log=logs / "azurite.log")
        self.services: dict[str, Service] = {}
        self.restores: str | None = None
        """URL of the queue that the bucket's restore events come to."""
        self._keeper: Keeper | None = None
        self._port = options.port or free_port()

    @property
    def api(self) -> str:
        """Base URL of the API."""
        certificate = self._options.certificate
        return f"https://{certificate.host}:{self._port}" if certificate else f"http://127.0.0.1:{self._port}"

    @property
    def credentials(self) -> Path:
        """A file, for its owner only, with the id and secret of a client that may do everything."""
        return self._options.directory / "credentials.json"

    @property
    def logs(self) -> Path:
        return self._options.directory / "logs"

    def start(self) -> Stack:
        """Return when the API answers. Whatever was started is stopped again if something does not start."""
        try:
            self._start_servers()
            self._start_services()
        except BaseException:
            self.stop()
            raise
        return self

    def _start_servers(self) -> None:
        ensure_azurite(self._options.repository)
        self._say("PostgreSQL")
        self.postgres.start()
        self.dsn = self.postgres.address.ensure_database(self._options.database)
        self._say("S3 with simulated cold storage")
        self.s3.start()
        self._say("Azurite")
        self.azurite.start()
        self.s3_client().create_bucket(Bucket=BUCKET)
        self.restores = self._tell_of_restores()
        blobs = self.blob_service()
        if not blobs.get_container_client(CONTAINER).exists():
            blobs.create_container(CONTAINER)

    def _tell_of_restores(self) -> str:
        """Have the bucket tell of restores; returns the URL of the queue that it tells."""
        sqs = self._client("sqs")
        url: str = sqs.create_queue(QueueName="restores")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = ["s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete"]
        entry = {"Id": f"backfill-restores-{SOURCE}", "QueueArn": arn, "Events": events}
        self.s3_client().put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [entry]}
        )
        return url

    def _start_services(self) -> None:
        self._say("six services and the gateway")
        ports = {name: free_port() for name in WITH_HTTP}
        health = [
            self._start_service(name, copy, http_port=ports.get(name) if copy == 1 else None)
            for name in SERVICES
            for copy in range(1, 1 + (1 if name == "ingests_api" else self._options.copies))
        ]
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        arguments = ["--port", str(self._port), "--ingests", urls["ingests_api"], "--register", urls["bag_register"]]
        if certificate := self._options.certificate:
            arguments += ["--certificate", str(certificate.chain), "--key", str(certificate.key)]
        self._add("gateway", ["local_stack.gateway", *arguments], dict(os.environ))
        for name, url in health:
            self.services[name].wait_until(lambda url=url: _answers(url), seconds=_SECONDS)  # type: ignore[misc]
        self.services["gateway"].wait_until(lambda: _answers(f"{self.api}/livez", verify=self.verify), seconds=_SECONDS)
        ensure_client(self.credentials, dsn=self.dsn, api=self.api, verify=self.verify)
        self._keeper = Keeper(self.services)
        self._keeper.start()

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """How a client of the API knows that it speaks to this one."""
        certificate = self._options.certificate
        return ssl.create_default_context(cafile=certificate.authority) if certificate else True

    def _start_service(self, service: str, copy: int, *, http_port: int | None) -> tuple[str, str]:
        """Start one process; returns its name and where it says that it is ready."""
        name = service if copy == 1 else f"{service}-{copy}"
        port = http_port or free_port()
        environment = os.environ | self._environment(service, health_port=0 if service in WITH_HTTP else port)
        if service in WITH_HTTP:
            environment |= {"BACKFILL_HTTP_PORT": str(port), "BACKFILL_PUBLIC_URL": self.api}
        self._add(name, [service], environment)
        return name, f"http://127.0.0.1:{port}/readyz"

    def _add(self, name: str, module: list[str], environment: dict[str, str]) -> None:
        service = Service(
            name, module, environment=environment, log=self.logs / f"{name}.log", launch=self._options.launch
        )
        self.services[name] = service
        service.start()

    def _environment(self, service: str, *, health_port: int) -> dict[str, str]:
        path = self._options.directory / "locations" / f"{service}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        text = locations_file(source=self.source, destination=self.destination, service=service)
        path.write_text(text, encoding="utf-8")
        base = common_environment(dsn=self.ledger, broker=self.broker, locations=path, health_port=health_port)
        folder = self._options.directory
        kept = {
            "BACKFILL_RECORDS": str(folder / "records"),
            "BACKFILL_EVIDENCE_CHECKPOINTS": str(folder / "checkpoints"),
            "BACKFILL_DIGESTS": str(folder / "digests"),
        }
        return base | kept | self._options.settings

    @property
    def ledger(self) -> str:
        """The DSN that services are told."""
        return self.dsn

    @property
    def broker(self) -> str | None:
        """The broker's URL that services are told."""
        return self._options.broker

    @property
    def source(self) -> S3Place:
        s3 = self.s3
        return S3Place(
            s3.endpoint, s3.access_key_id, s3.secret_access_key, s3.region, BUCKET, events_queue=self.restores
        )

    @property
    def destination(self) -> AzurePlace:
        signatures = {service: self._signature(permissions) for service, permissions in PERMISSIONS.items()}
        return AzurePlace(self.azurite.endpoint, self.azurite.account_name, CONTAINER, signatures)

    def _signature(self, permissions: str) -> str:
        return generate_container_sas(
            self.azurite.account_name,
            CONTAINER,
            account_key=self.azurite.account_key,
            permission=ContainerSasPermissions.from_string(permissions),
            start=datetime.now(UTC) - timedelta(minutes=5),
            expiry=datetime.now(UTC) + timedelta(days=365),
        )

    def s3_client(self) -> boto3.client:
        """For seeding: the owner's credentials."""
        return self._client("s3")

    def _client(self, service: str) -> boto3.client:
        return boto3.client(
            service,
            endpoint_url=self.s3.endpoint,
            aws_access_key_id=self.s3.access_key_id,
            aws_secret_access_key=self.s3.secret_access_key,
            region_name=self.s3.region,
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )

    def blob_service(self) -> BlobServiceClient:
        """For independent checks: the account's own key."""
        return BlobServiceClient(self.azurite.endpoint, credential=self.azurite.account_key)

    def stop(self) -> None:
        """Stop the services, then the servers; twice: nothing happens."""
        if self._keeper:
            self._keeper.stop()
        for service in reversed(self.services.values()):
            service.stop()
        for server in (self.azurite, self.s3, self.postgres):
            server.stop()

    def __enter__(self) -> Stack:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _answers(url: str, *, verify: ssl.SSLContext | bool = True) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False, verify=verify).status_code == 200
    except httpx.TransportError:
        time.sleep(0.05)
        return False
