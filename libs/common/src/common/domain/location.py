"""Where bags lie: a configured store with a prefix."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from common.domain.bag import BagVersion
from common.domain.layout import Layout


class Provider(StrEnum):
    """Who holds the bytes; the value is the wire format's provider id."""

    AMAZON_S3 = "amazon-s3"
    AZURE_BLOB = "azure-blob-storage"
    LOCAL = "local"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True, order=True)
class LocationId:
    """A location's short name in the configuration, such as "azure"; letters, digits, - and _."""

    value: str

    def __post_init__(self) -> None:
        if not self.value or not all(c.isascii() and (c.isalnum() or c in "-_") for c in self.value):
            raise ValueError(f"a location id has letters, digits, - and _ only, was {self.value!r}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Location:
    """The public facts of a location: nothing secret, the same for every service and in the ledger."""

    id: LocationId
    provider: Provider
    bucket: str
    """Bucket, container, or (for `local`) directory."""
    prefix: str = ""
    """Key prefix below which bags lie: "" or ending with "/"."""
    title: str = ""
    """How people call it in an ingest's history; the id where empty."""
    layout: Layout = field(default_factory=Layout)
    """Where bags lie below the prefix."""

    def __post_init__(self) -> None:
        if self.prefix and not self.prefix.endswith("/"):
            raise ValueError(f"prefix must be empty or end with /, was {self.prefix!r}")

    @property
    def name(self) -> str:
        return self.title or self.id.value

    def bag_root(self, bag: BagVersion) -> str:
        """The key prefix of all versions of the bag, without a trailing slash: the wire format's `path`."""
        return self.prefix + self.layout.bag_root(space=bag.space.value, identifier=bag.external_identifier.value)

    def root(self, bag: BagVersion) -> str:
        """The key prefix of this version, with a trailing slash (v1/ must not list v10/)."""
        return f"{self.bag_root(bag)}/{bag.version}/"
