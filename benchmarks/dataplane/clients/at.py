"""A location's settings as they are, without reading and checking them: a worker does that once in its life, and a
benchmark that starts a process for each run would measure little else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from benchmarks.dataplane.stores import Store

from common.domain.location import LocationId, Provider
from common.domain.naming import Names

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig


class Known(NamedTuple):
    """A secret of loopback."""

    value: str

    def get_secret_value(self) -> str:
        return self.value


class At(NamedTuple):
    """Of the fields of LocationConfig those that stores look at, with its defaults; a test holds the two together."""

    id: LocationId
    provider: Provider
    bucket: str
    prefix: str = ""
    title: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key_id: Known | None = None
    secret_access_key: Known | None = None
    session_token: Known | None = None
    account_name: str | None = None
    account_key: Known | None = None
    sas_token: Known | None = None
    storage_class: str | None = None
    access_tier: str | None = None
    names: Names = Names.REFUSE
    record_sha256: bool = True
    concurrency: int = 16
    max_concurrency: int = 256
    bandwidth: None = None
    timezone: str = "UTC"
    connect_timeout: float = 10
    read_timeout: float = 60
    checksums: bool = False
    copying: str = "stream"

    @property
    def model_fields_set(self) -> frozenset[str]:
        return frozenset()


def at(store: Store, location: LocationId, *, concurrency: int) -> LocationConfig:
    """A server of a benchmark as a location."""
    s3 = store.kind == "s3"
    known = At(
        id=location,
        provider=Provider.AMAZON_S3 if s3 else Provider.AZURE_BLOB,
        bucket=store.bucket,
        endpoint=store.endpoint,
        region="us-east-1" if s3 else None,
        access_key_id=Known(store.account) if s3 else None,
        secret_access_key=Known(store.secret) if s3 else None,
        account_name=None if s3 else store.account,
        account_key=None if s3 else Known(store.secret),
        concurrency=max(16, concurrency),
    )
    return cast("LocationConfig", known)
