"""Objects in Azure Blob Storage. obstore moves the bytes, azure-storage-blob makes the other calls."""

from __future__ import annotations

from common.adapters.objects.azure.client import Connection
from common.adapters.objects.azure.store import AzureStore
from common.adapters.objects.configuration import LocationConfig

__all__ = ["AzureStore", "open_store"]


def open_store(config: LocationConfig) -> AzureStore:
    """Raises ConfigurationError where no credentials can be found."""
    connection = Connection(config)
    connection.check_credentials()
    return AzureStore(connection)
