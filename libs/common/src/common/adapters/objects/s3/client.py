"""The two clients of one bucket, made once and shared by all threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.config import Config
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store as ObstoreS3

from common.adapters.objects.configuration import LocationConfig
from common.errors import ConfigurationError

_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Connection:
    """A bucket with its clients. Both are thread-safe; neither retries."""

    bucket: str
    storage_class: str | None
    control: Any
    """The boto3 client."""
    bytes: ObstoreS3

    @classmethod
    def of(cls, config: LocationConfig) -> Connection:
        """Sends nothing to the store. Raises ConfigurationError where no credentials can be found."""
        session = boto3.session.Session(
            aws_access_key_id=_revealed(config, "access_key_id"),
            aws_secret_access_key=_revealed(config, "secret_access_key"),
            aws_session_token=_revealed(config, "session_token"),
            region_name=config.region,
        )
        if session.get_credentials() is None:
            raise ConfigurationError(
                f"location {config.id}: no credentials for S3; set access_key_id and secret_access_key,"
                " or give the worker an AWS role or profile"
            )
        return cls(config.bucket, config.storage_class, _control(session, config), _bytes(session, config))


def _control(session: Any, config: LocationConfig) -> Any:
    checksums = "when_supported" if config.checksums else "when_required"
    return session.client(
        "s3",
        endpoint_url=config.endpoint,
        region_name=session.region_name or _DEFAULT_REGION,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if config.endpoint else "auto"},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
            retries={"total_max_attempts": 1},
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            max_pool_connections=max(16, config.concurrency),
        ),
    )


def _bytes(session: Any, config: LocationConfig) -> ObstoreS3:
    endpoint: dict[str, Any] = {"endpoint": config.endpoint} if config.endpoint else {}
    return ObstoreS3(
        config.bucket,
        config={  # type: ignore[arg-type]
            **endpoint,
            "region": session.region_name or _DEFAULT_REGION,
            "virtual_hosted_style_request": config.endpoint is None and "." not in config.bucket,
            # TLS protects the payload; without TLS the read-back does. Hashing it once more costs half the CPU.
            "unsigned_payload": True,
        },
        client_options={
            "allow_http": (config.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=config.connect_timeout),
            "read_timeout": timedelta(seconds=config.read_timeout),
            "timeout": timedelta(days=1),  # of a whole body; a body that stands still meets read_timeout
        },
        retry_config={"max_retries": 0},
        credential_provider=Boto3CredentialProvider(session, ttl=timedelta(minutes=5)),
    )


def _revealed(config: LocationConfig, name: str) -> str | None:
    secret = getattr(config, name)
    return secret.get_secret_value() if secret is not None else None
