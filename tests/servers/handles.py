"""What a test holds of a shared server: its address, and fresh places on it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local_stack.servers.azurite import AzuriteAddress
from local_stack.servers.cold_s3 import ColdControl
from local_stack.servers.s3_address import S3Address

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient


def fresh_name(prefix: str) -> str:
    """A name nobody else has: letters, digits and dashes, fit for databases, buckets, containers and queues."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class S3Server:
    """An S3 server. `clock` drives the cold one's clock and faults."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str
    clock: ColdControl = field(repr=False)

    @classmethod
    def at(cls, address: S3Address) -> S3Server:
        return cls(
            endpoint=address.endpoint,
            access_key_id=address.access_key_id,
            secret_access_key=address.secret_access_key,
            region=address.region,
            clock=ColdControl(address.endpoint),
        )

    def client(self, service: str = "s3") -> Any:
        """A boto3 client: for arranging, and for looking at the result from outside."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
            config=Config(signature_version="s3v4" if service == "s3" else None, retries={"total_max_attempts": 1}),
        )

    def bucket(self, *, versioned: bool = False) -> str:
        """The name of a fresh, empty bucket."""
        name = fresh_name("bucket")
        s3 = self.client()
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def queue(self) -> str:
        """The URL of a fresh SQS queue on the same endpoint (the cold server only)."""
        url: str = self.client("sqs").create_queue(QueueName=fresh_name("queue"))["QueueUrl"]
        return url


@dataclass(frozen=True)
class AzureServer:
    """An Azurite server."""

    endpoint: str
    """With the account's path, without a trailing slash."""
    account_name: str
    account_key: str

    @classmethod
    def at(cls, address: AzuriteAddress) -> AzureServer:
        return cls(address.endpoint, address.account_name, address.account_key)

    def client(self) -> BlobServiceClient:
        """The SDK's client: for arranging, and for looking at the result from outside."""
        from azure.storage.blob import BlobServiceClient

        credential = {"account_name": self.account_name, "account_key": self.account_key}
        return BlobServiceClient(self.endpoint, credential=credential)

    def container(self) -> str:
        """The name of a fresh, empty container."""
        name = fresh_name("container")
        self.client().create_container(name)
        return name

    def sas(self, container: str, permissions: str, *, hours: float = 1) -> str:
        """A container's SAS query string without "?", such as for permissions "racwl"; negative hours: expired."""
        from azure.storage.blob import ContainerSasPermissions, generate_container_sas

        now = datetime.now(UTC)
        token: str = generate_container_sas(
            account_name=self.account_name,
            container_name=container,
            account_key=self.account_key,
            permission=ContainerSasPermissions.from_string(permissions),
            start=now - timedelta(days=2),
            expiry=now + timedelta(hours=hours),
        )
        return token


@dataclass(frozen=True)
class Broker:
    """A message broker by its URL (amqp://…)."""

    url: str
