"""The clients of one container, for all threads: obstore for small blobs, HTTP for large ones, the SDK for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore as ObstoreAzure

from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.obstore_calls import ObstoreCalls
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from common.adapters.objects.azure.control import Control
    from common.adapters.objects.azure.direct import Direct
    from common.adapters.objects.azure.sdk_uploads import SdkUploads
    from common.adapters.objects.configuration import LocationConfig


@dataclass(frozen=True)
class Connection:
    """A container with its clients, each made when it is first needed. All are thread-safe; none retries."""

    config: LocationConfig

    @property
    def access_tier(self) -> str | None:
        return self.config.access_tier

    def check_credentials(self) -> None:
        """Sends nothing to the store. Raises ConfigurationError where no credentials can be found."""
        if self.config.account_key is None and self.config.sas_token is None:
            identity(self.config)

    @cached_property
    def bytes(self) -> ObstoreCalls:
        return ObstoreCalls(_obstore(self.config), error_for)

    @cached_property
    def control(self) -> Control:
        # Imported here: not every worker needs the SDK, and none to move bytes.
        from common.adapters.objects.azure.control import Control

        return Control.of(self.config)

    @cached_property
    def direct(self) -> Direct:
        # Imported here: only large objects need it.
        from common.adapters.objects.azure.direct import Access, Direct
        from common.adapters.objects.wire import Wire

        wire = Wire(self.config.connect_timeout, self.config.read_timeout)
        return Direct(f"{endpoint(self.config)}/{self.config.bucket}", Access(self.config), wire)

    @cached_property
    def sdk_uploads(self) -> SdkUploads:
        # Imported here, as it brings the SDK.
        from common.adapters.objects.azure.sdk_uploads import SdkUploads

        return SdkUploads(self.control)


def _obstore(config: LocationConfig) -> ObstoreAzure:
    options: dict[str, Any] = {"account_name": config.account_name, "endpoint": endpoint(config)}
    provider = None
    if config.account_key is not None:
        options["account_key"] = config.account_key.get_secret_value()
    elif config.sas_token is not None:
        options["sas_key"] = config.sas_token.get_secret_value().lstrip("?")
    else:
        provider = import_module("obstore.auth.azure").AzureCredentialProvider(identity(config))
    return ObstoreAzure(
        config.bucket,
        config=options,  # type: ignore[arg-type]
        client_options={
            "allow_http": endpoint(config).startswith("http://"),
            "connect_timeout": timedelta(seconds=config.connect_timeout),
            "read_timeout": timedelta(seconds=config.read_timeout),
            "timeout": timedelta(days=1),  # of a whole body; a body that stands still meets read_timeout
        },
        retry_config={"max_retries": 0},
        credential_provider=provider,
    )


def identity(config: LocationConfig) -> Any:
    """The worker's managed identity. Raises ConfigurationError where its package is missing."""
    try:
        return import_module("azure.identity").DefaultAzureCredential()
    except ImportError:
        raise ConfigurationError(
            f"location {config.id}: no credentials for Azure; set account_key or sas_token,"
            " or install azure-identity for a managed identity"
        ) from None


def endpoint(config: LocationConfig) -> str:
    """The account's address, without a slash at the end."""
    return config.endpoint or f"https://{config.account_name}.blob.core.windows.net"
