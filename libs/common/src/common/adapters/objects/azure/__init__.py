"""Objects in Azure Blob Storage. HTTP of our own moves and lists bytes, azure-storage-blob makes the other calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.store import AzureStore
from common.ports import PartCopier

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

__all__ = ["AzureStore", "open_copier", "open_links", "open_store"]


def open_store(config: LocationConfig) -> AzureStore:
    """Raises ConfigurationError where no credentials can be found."""
    connection = Connection(config)
    connection.check_credentials()
    return AzureStore(connection)


def open_links(config: LocationConfig) -> Callable[[str], str] | None:
    """URLs that read one blob for an hour; None where the location has no account key to sign them with."""
    if config.account_key is None:
        return None

    def link(key: str) -> str:
        # Imported here, as it brings the SDK.
        from common.adapters.objects.azure.links import signed_url

        return signed_url(config, key)

    return link


def open_copier(
    source: LocationConfig,  # noqa: ARG001 - whatever it is, it can be read at a URL
    destination: LocationConfig,
    sign: Callable[[str, str | None], str],
) -> PartCopier:
    """From every store that signs URLs. Raises ConfigurationError where no credentials can be found."""
    # Imported here, as it brings the SDK.
    from common.adapters.objects.azure.copying import AzurePartCopier

    connection = Connection(destination)
    connection.check_credentials()
    return AzurePartCopier(connection.control, sign)
