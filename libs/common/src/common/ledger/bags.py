"""The register: which bag versions exist, what they hold and where their copies lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Integer, Text, bindparam, column, exists, func, or_, select, true

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version
from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.naming import ESCAPE, MAPPED_NAMES
from common.domain.replica import EvidenceClass
from common.ledger.locations import location_of
from common.ledger.tables import bag_locations, bag_versions, evidence, ingest_events, locations


@dataclass(frozen=True, slots=True)
class MappedName:
    """A file that a location holds under another name than its own (see `domain.naming`)."""

    name: str
    """As the manifests write it: "data/a."."""
    path: str
    """Below the bag's root at the location: "v1/data/a^2E"."""


@dataclass(frozen=True, slots=True)
class BagLocation:
    """One copy of a bag version."""

    location: Location
    primary: bool
    evidence_class: EvidenceClass
    mapped: tuple[MappedName, ...] = ()
    """The files whose names this location could not hold, by name."""


@dataclass(frozen=True, slots=True)
class BagRecord:
    """All that the register says about one bag version, but for its files: these lie in the record store."""

    id: int
    bag: BagVersion
    created_date: datetime
    created_text: str | None
    """The date as the record that it was taken from writes it; None where the record is ours."""
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
    depends_on: tuple[Version, ...] = ()
    """The earlier versions of the bag that hold some of its files."""

    @property
    def primary(self) -> Location:
        return next(copy.location for copy in self.locations if copy.primary)


_MAPS = exists().where(
    ingest_events.c.ingest_id == bag_locations.c.ingest_id, ingest_events.c.detail.has_key(MAPPED_NAMES)
)
# Made once, since every request asks it: to build it costs more than to run it. A document, not arrays: PostgreSQL
# takes any document for a hundred rows and so plans the statement once.
_ASKED = (
    func.json_to_recordset(bindparam("asked", type_=JSON))
    .table_valued(column("place", Integer), column("space", Text), column("name", Text), column("number", Integer))
    .render_derived("asked", with_types=True)
)
_BAG = (
    select(bag_versions)
    .where(
        bag_versions.c.space == _ASKED.c.space,
        bag_versions.c.external_identifier == _ASKED.c.name,
        or_(_ASKED.c.number.is_(None), bag_versions.c.version == _ASKED.c.number),
    )
    .order_by(bag_versions.c.version.desc())
    .limit(1)
    .lateral("bag")
)
_NAMED = (
    select(
        _ASKED.c.place, _BAG.c.id.label("bag_id"), *(one for one in _BAG.c if one.name not in ("id", "ingest_id")),
        locations, bag_locations.c.role, bag_locations.c.evidence_class, bag_locations.c.ingest_id, _MAPS.label("maps"),
    )
    .select_from(_ASKED)
    .join(_BAG, true())
    .join(bag_locations, bag_locations.c.bag_version_id == _BAG.c.id)
    .join(locations, locations.c.id == bag_locations.c.location_id)
    .order_by(_ASKED.c.place, bag_locations.c.role, bag_locations.c.registered_at, locations.c.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BagName:
    """A bag version that somebody names."""

    space: Space
    external_identifier: ExternalIdentifier
    version: Version | None
    """None: the latest."""


def find_bag(
    connection: Connection, *, space: Space, external_identifier: ExternalIdentifier, version: Version | None
) -> BagRecord | None:
    """A bag version's record; the latest version's where `version` is None."""
    return find_bags(connection, [BagName(space, external_identifier, version)])[0]


def find_bags(connection: Connection, names: Sequence[BagName]) -> list[BagRecord | None]:
    """The record of each, in one statement; each copy that maps names takes another."""
    asked = [
        {
            "place": place,
            "space": name.space.value,
            "name": name.external_identifier.value,
            "number": name.version.number if name.version else None,
        }
        for place, name in enumerate(names)
    ]
    copies: dict[int, list[Any]] = {}
    for row in connection.execute(_NAMED, {"asked": asked}):
        copies.setdefault(row.place, []).append(row)
    return [_record(connection, copies[place]) if place in copies else None for place in range(len(names))]


def find_versions(
    connection: Connection, *, space: Space, external_identifier: ExternalIdentifier, before: Version | None = None
) -> list[tuple[Version, datetime | str]]:
    """The versions of a bag with their dates, newest first; only those below `before`.

    A date that was taken over is text, as it was written.
    """
    query = select(bag_versions.c.version, bag_versions.c.created_date, bag_versions.c.created_text).where(
        bag_versions.c.space == space.value, bag_versions.c.external_identifier == external_identifier.value
    )
    if before is not None:
        query = query.where(bag_versions.c.version < before.number)
    rows = connection.execute(query.order_by(bag_versions.c.version.desc()))
    return [(Version(row.version), row.created_text or row.created_date) for row in rows]


def _copy(connection: Connection, row: Any, bag: BagVersion) -> BagLocation:
    location = location_of(row)
    return BagLocation(
        location,
        primary=row.role == "primary",
        evidence_class=EvidenceClass(row.evidence_class),
        mapped=_mapped(connection, row, location.bag_root(bag)) if row.maps else (),
    )


def _mapped(connection: Connection, copy: Any, root: str) -> tuple[MappedName, ...]:
    """Read off the evidence, whose keys are those that were read back; asked only for copies that map names."""
    path = func.substr(evidence.c.key, len(root) + 2)
    found = connection.execute(
        select(evidence.c.path, path.label("stored"))
        .where(
            evidence.c.bag_version_id == copy.bag_id,
            evidence.c.location_id == copy.id,
            evidence.c.ingest_id == copy.ingest_id,
            evidence.c.outcome == "match",
            func.strpos(path, ESCAPE) > 0,
        )
        .distinct()
        .order_by(evidence.c.path)
    )
    return tuple(MappedName(row.path, row.stored) for row in found)


def _record(connection: Connection, copies: Sequence[Any]) -> BagRecord:
    """Of one bag version's copies, each of which tells of the bag too."""
    row = copies[0]
    bag = BagVersion.of(row.space, row.external_identifier, row.version)
    return BagRecord(
        id=row.bag_id,
        bag=bag,
        created_date=row.created_date,
        created_text=row.created_text,
        info=row.info,
        algorithm=Algorithm(row.checksum_algorithm),
        file_count=row.file_count,
        bytes=row.bytes,
        pins=row.pins,
        files_key=row.files_key,
        files_sha256=row.files_sha256,
        revision=row.revision,
        locations=tuple(_copy(connection, copy, bag) for copy in copies),
        depends_on=tuple(map(Version, row.depends_on)),
    )
