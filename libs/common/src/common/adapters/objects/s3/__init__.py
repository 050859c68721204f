"""Objects in Amazon S3 and what speaks its language. obstore moves the bytes, boto3 makes the other calls."""

from __future__ import annotations

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.store import S3Store
from common.ports import ColdStore

__all__ = ["S3Store", "open_cold_store", "open_store"]


def open_store(config: LocationConfig) -> S3Store:
    """Raises ConfigurationError where no credentials can be found."""
    connection = Connection(config)
    connection.check_credentials()
    return S3Store(connection)


def open_cold_store(config: LocationConfig) -> ColdStore:
    """Raises ConfigurationError where no credentials can be found."""
    # Imported here, as it brings boto3.
    from common.adapters.objects.s3.cold import S3ColdStore

    connection = Connection(config)
    connection.check_credentials()
    return S3ColdStore(connection.control)
