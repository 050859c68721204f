"""The clients of one container, for all threads: HTTP of our own for bytes and lists, the SDK for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.adapters.objects.azure.errors import error_for
from common.adapters.objects.wire import Asking, Wire
from common.errors import ConfigurationError

if TYPE_CHECKING:
    from common.adapters.objects.azure.control import Control
    from common.adapters.objects.azure.direct import Direct
    from common.adapters.objects.azure.listing import Listing
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
    def control(self) -> Control:
        # Imported here: not every worker needs the SDK, and none to move bytes.
        from common.adapters.objects.azure.control import Control

        return Control.of(self.config)

    @cached_property
    def direct(self) -> Direct:
        """Raises ConfigurationError for an endpoint or a proxy that cannot be used."""
        # Imported here: it needs this module.
        from common.adapters.objects.azure.direct import Access, Direct

        config, address = self.config, endpoint(self.config)
        wire = Wire.to(address, connect_timeout=config.connect_timeout, read_timeout=config.read_timeout)
        return Direct(Asking(wire, error_for), f"{urlsplit(address).path}/{config.bucket}/", Access(config))

    @cached_property
    def listing(self) -> Listing:
        # Imported here: who moves bytes lists nothing.
        from common.adapters.objects.azure.listing import Listing

        return Listing(self.direct)

    @cached_property
    def sdk_uploads(self) -> SdkUploads:
        # Imported here, as it brings the SDK.
        from common.adapters.objects.azure.sdk_uploads import SdkUploads

        return SdkUploads(self.control)


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
