"""The register: which bag versions exist, what they hold and where their copies lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version
from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.replica import EvidenceClass
from common.ledger.locations import location_of
from common.ledger.tables import bag_locations, bag_versions, locations


@dataclass(frozen=True, slots=True)
class BagLocation:
    """One copy of a bag version."""

    location: Location
    primary: bool
    evidence_class: EvidenceClass


@dataclass(frozen=True, slots=True)
class BagRecord:
    """All that the register says about one bag version, but for its files: these lie in the record store."""

    id: int
    bag: BagVersion
    created_date: datetime
    info: Mapping[str, Any]
    """bag-info's fields under their wire names."""
    algorithm: Algorithm
    """The one whose checksums the storage manifest shows."""
    file_count: int
    bytes: int
    pins: Mapping[str, str]
    files_key: str
    files_sha256: str
    revision: int
    locations: tuple[BagLocation, ...]
    """The primary first, then by date of registration."""

    @property
    def primary(self) -> Location:
        return next(copy.location for copy in self.locations if copy.primary)


def find_bag(
    connection: Connection, *, space: Space, external_identifier: ExternalIdentifier, version: Version | None
) -> BagRecord | None:
    """A bag version's record; the latest version's where `version` is None."""
    query = (
        select(bag_versions)
        .where(bag_versions.c.space == space.value)
        .where(bag_versions.c.external_identifier == external_identifier.value)
    )
    if version is not None:
        query = query.where(bag_versions.c.version == version.number)
    row = connection.execute(query.order_by(bag_versions.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _record(row, _copies(connection, row.id))


def find_versions(
    connection: Connection, *, space: Space, external_identifier: ExternalIdentifier, before: Version | None = None
) -> list[tuple[Version, datetime]]:
    """The versions of a bag with their dates, newest first; only those below `before`."""
    query = select(bag_versions.c.version, bag_versions.c.created_date).where(
        bag_versions.c.space == space.value, bag_versions.c.external_identifier == external_identifier.value
    )
    if before is not None:
        query = query.where(bag_versions.c.version < before.number)
    rows = connection.execute(query.order_by(bag_versions.c.version.desc()))
    return [(Version(row.version), row.created_date) for row in rows]


def _copies(connection: Connection, bag_version_id: int) -> tuple[BagLocation, ...]:
    rows = connection.execute(
        select(locations, bag_locations.c.role, bag_locations.c.evidence_class)
        .join(bag_locations, bag_locations.c.location_id == locations.c.id)
        .where(bag_locations.c.bag_version_id == bag_version_id)
        .order_by(bag_locations.c.role, bag_locations.c.registered_at, locations.c.id)
    )
    return tuple(
        BagLocation(location_of(row), primary=row.role == "primary", evidence_class=EvidenceClass(row.evidence_class))
        for row in rows
    )


def _record(row: Any, copies: tuple[BagLocation, ...]) -> BagRecord:
    return BagRecord(
        id=row.id,
        bag=BagVersion.of(row.space, row.external_identifier, row.version),
        created_date=row.created_date,
        info=row.info,
        algorithm=Algorithm(row.checksum_algorithm),
        file_count=row.file_count,
        bytes=row.bytes,
        pins=row.pins,
        files_key=row.files_key,
        files_sha256=row.files_sha256,
        revision=row.revision,
        locations=copies,
    )
