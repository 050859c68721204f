"""Objects in Amazon S3 and what speaks its language. HTTP of our own moves the bytes, boto3 makes the other calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.store import S3Store
from common.ports import BatchRestores, ColdStore, PartCopier, RestoreQueue

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig
    from common.adapters.objects.s3.subscription import BucketSubscriptions

__all__ = [
    "S3Store",
    "open_batches",
    "open_cold_store",
    "open_copier",
    "open_links",
    "open_restore_queue",
    "open_signer",
    "open_store",
    "open_subscriptions",
]

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


def open_links(config: LocationConfig) -> Callable[[str], str]:
    """URLs for people and programs that hold no credentials."""
    sign = open_signer(config)
    return lambda key: sign(key, None)


def open_cold_store(config: LocationConfig) -> ColdStore:
    """Raises ConfigurationError where no credentials can be found."""
    # Imported here: few workers thaw.
    from common.adapters.objects.s3.cold import S3ColdStore

    connection = Connection(config)
    connection.check_credentials()
    return S3ColdStore(connection)


def open_restore_queue(config: LocationConfig) -> RestoreQueue | None:
    """None where the location names no queue."""
    if (url := config.thawing.events_queue) is None:
        return None
    # Imported here, as it brings boto3.
    from common.adapters.objects.s3.restore_queue import SqsRestoreQueue

    return SqsRestoreQueue(config, url)


def open_subscriptions(config: LocationConfig) -> BucketSubscriptions:
    """Raises ConfigurationError where no credentials can be found, or the queue's URL is none."""
    # Imported here, as they bring boto3.
    from common.adapters.objects.s3.restore_queue import SqsAddress
    from common.adapters.objects.s3.subscription import BucketSubscriptions

    connection, url = Connection(config), config.thawing.events_queue
    connection.check_credentials()
    arn = SqsAddress.of(url, region=config.region).arn if url else None
    return BucketSubscriptions(connection.control, f"backfill-restores-{config.id}", config.prefix, arn)


def open_batches(config: LocationConfig) -> BatchRestores | None:
    """None where the location has no `thaw.batch`."""
    settings, account = config.thawing.batch, config.thawing.account
    if settings is None or account is None:
        return None
    # Imported here, as it brings boto3.
    from common.adapters.objects.s3.batch import S3Batches

    return S3Batches(config, settings, account)
