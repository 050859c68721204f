"""Objects in Amazon S3 and what speaks its language. obstore moves the bytes, boto3 makes the other calls."""

from __future__ import annotations

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.s3.client import Connection
from common.adapters.objects.s3.cold import S3ColdStore
from common.adapters.objects.s3.store import S3Store

__all__ = ["S3ColdStore", "S3Store", "open_cold_store", "open_store"]


def open_store(config: LocationConfig) -> S3Store:
    return S3Store(Connection.of(config))


def open_cold_store(config: LocationConfig) -> S3ColdStore:
    return S3ColdStore(Connection.of(config))
