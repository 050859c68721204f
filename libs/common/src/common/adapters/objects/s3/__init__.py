"""Objects in Amazon S3 and what speaks its language. obstore moves the bytes, boto3 makes the other calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.store import S3Store
from common.ports import ColdStore, PartCopier

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig

__all__ = ["S3Store", "open_cold_store", "open_copier", "open_signer", "open_store"]

Signer = Callable[[str, str | None], str]
"""A URL that reads the object (key, version id) for a while."""


def open_store(config: LocationConfig) -> S3Store:
    """Raises ConfigurationError where no credentials can be found."""
    connection = Connection(config)
    connection.check_credentials()
    return S3Store(connection)


def open_copier(source: LocationConfig, destination: LocationConfig, sign: Signer) -> PartCopier | None:  # noqa: ARG001
    """Between buckets of one S3; None where the two are not one, or may not be."""
    if source.provider is not destination.provider or source.endpoint != destination.endpoint:
        return None
    from common.adapters.objects.s3.copying import S3PartCopier

    connection = Connection(destination)
    connection.check_credentials()
    return S3PartCopier(connection.control, source.bucket)


def open_signer(config: LocationConfig) -> Signer:
    """Makes URLs with the location's credentials; they are looked for when the first one is made."""
    connection = Connection(config)

    def sign(key: str, version_id: str | None) -> str:
        from common.adapters.objects.s3.copying import S3Signer

        return S3Signer(connection.control)(key, version_id)

    return sign


def open_cold_store(config: LocationConfig) -> ColdStore:
    """Raises ConfigurationError where no credentials can be found."""
    # Imported here, as it brings boto3.
    from common.adapters.objects.s3.cold import S3ColdStore

    connection = Connection(config)
    connection.check_credentials()
    return S3ColdStore(connection.control)
