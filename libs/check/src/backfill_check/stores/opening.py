"""The reader of a configured location."""

from __future__ import annotations

from backfill_check.stores import Reader
from common.adapters.objects.configuration import LocationConfig
from common.domain.location import Provider
from common.errors import ConfigurationError


def open_reader(config: LocationConfig) -> Reader:
    """Raises ConfigurationError for a location that no other process can see."""
    match config.provider:
        case Provider.AMAZON_S3:
            from backfill_check.stores.s3 import S3Reader

            return S3Reader(config)
        case Provider.AZURE_BLOB:
            from backfill_check.stores.azure import AzureReader

            return AzureReader(config)
        case Provider.LOCAL:
            from backfill_check.stores.local import LocalReader

            return LocalReader(config)
    raise ConfigurationError(f"[locations.{config.id}] provider = {config.provider.value!r} cannot be checked")
