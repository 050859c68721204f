"""The two clients of one container, made once and shared by all threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import ContainerClient, StandardBlobTier
from obstore.store import AzureStore as ObstoreAzure
from requests.adapters import HTTPAdapter

from common.adapters.objects.configuration import LocationConfig
from common.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Connection:
    """A container with its clients. Both are thread-safe; neither retries."""

    container: str
    access_tier: StandardBlobTier | None
    control: ContainerClient
    bytes: ObstoreAzure

    @classmethod
    def of(cls, config: LocationConfig) -> Connection:
        """Sends nothing to the store. Raises ConfigurationError where no credentials can be found."""
        return cls(config.bucket, _tier(config), _control(config), _bytes(config))


def _control(config: LocationConfig) -> ContainerClient:
    return ContainerClient(
        _endpoint(config),
        config.bucket,
        credential=_credential(config),
        transport=_transport(config),
        retry_total=0,
        connection_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        max_single_put_size=5000 * 2**20,
    )


def _transport(config: LocationConfig) -> RequestsTransport:
    """A pool with a connection for each thread; requests' own has ten, and throws the others away."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=max(16, config.concurrency), max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return RequestsTransport(session=session, session_owner=False)


def _bytes(config: LocationConfig) -> ObstoreAzure:
    options: dict[str, Any] = {"account_name": config.account_name, "endpoint": _endpoint(config)}
    provider = None
    if config.account_key is not None:
        options["account_key"] = config.account_key.get_secret_value()
    elif config.sas_token is not None:
        options["sas_key"] = config.sas_token.get_secret_value().lstrip("?")
    else:
        provider = import_module("obstore.auth.azure").AzureCredentialProvider(_identity(config))
    return ObstoreAzure(
        config.bucket,
        config=options,  # type: ignore[arg-type]
        client_options={
            "allow_http": _endpoint(config).startswith("http://"),
            "connect_timeout": timedelta(seconds=config.connect_timeout),
            "read_timeout": timedelta(seconds=config.read_timeout),
            "timeout": timedelta(days=1),  # of a whole body; a body that stands still meets read_timeout
        },
        retry_config={"max_retries": 0},
        credential_provider=provider,
    )


def _credential(config: LocationConfig) -> Any:
    if config.account_key is not None:
        return {"account_name": config.account_name, "account_key": config.account_key.get_secret_value()}
    if config.sas_token is not None:
        return config.sas_token.get_secret_value().lstrip("?")
    return _identity(config)


def _identity(config: LocationConfig) -> Any:
    try:
        return import_module("azure.identity").DefaultAzureCredential()
    except ImportError:
        raise ConfigurationError(
            f"location {config.id}: no credentials for Azure; set account_key or sas_token,"
            " or install azure-identity for a managed identity"
        ) from None


def _tier(config: LocationConfig) -> StandardBlobTier | None:
    if config.access_tier is None:
        return None
    try:
        return StandardBlobTier(config.access_tier)
    except ValueError:
        known = ", ".join(sorted(tier.value for tier in StandardBlobTier))
        raise ConfigurationError(
            f"location {config.id}: access_tier is {config.access_tier!r}, must be one of {known}"
        ) from None


def _endpoint(config: LocationConfig) -> str:
    return config.endpoint or f"https://{config.account_name}.blob.core.windows.net"
