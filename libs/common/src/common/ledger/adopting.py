"""Entering bags that already lie in a store into the register, many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.domain.storage_class import Classes
from common.ledger.tables import bag_locations, bag_versions


@dataclass(frozen=True, slots=True)
class ListedReplica:
    """A further copy of a bag version that is imported."""

    location_id: str
    evidence_class: EvidenceClass
    classes: Classes | None = None
    """In which storage classes its objects lie."""


@dataclass(frozen=True, slots=True)
class NewBag:
    """A bag version as it was found at a location."""

    bag: BagVersion
    location_id: str
    evidence_class: EvidenceClass
    info: Mapping[str, Any]
    algorithm: Algorithm
    file_count: int
    bytes: int
    pins: Mapping[str, str]
    depends_on: Sequence[int]
    """Numbers of the earlier versions that hold some of its files."""
    files_key: str
    files_sha256: str
    created: str | None = None
    """When it was made, as the record that it is taken from writes it; None: now."""
    ingest_id: UUID | None = None
    """Of the ingest that made it, as that record has it."""
    replicas: Sequence[ListedReplica] = ()
    """Further copies that were listed, and not read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the register has of a bag version."""

    pins: Mapping[str, str]
    """SHA-256 by path of its manifest set."""
    primary: str
    """Id of its primary location."""


# Each of one text, whatever the number of bags, so that it is read, prepared and planned once; and in one order of bags
# everywhere, so that two imports of the same bags wait for each other and never in a circle.
_ENTER_BAGS = text("""
INSERT INTO bag_versions (space, external_identifier, version, created_date, created_text, ingest_id, info,
    checksum_algorithm, file_count, bytes, pins, depends_on, files_key, files_sha256)
SELECT space, external_identifier, version, coalesce(created_date, (SELECT clock_timestamp())), created_text, ingest_id,
    info, checksum_algorithm, file_count, bytes, pins, depends_on, files_key, files_sha256
FROM jsonb_to_recordset(:bags) AS bag (space text, external_identifier text, version integer, created_date timestamptz,
    created_text text, ingest_id uuid, info jsonb, checksum_algorithm text, file_count bigint, bytes bigint, pins jsonb,
    depends_on jsonb, files_key text, files_sha256 text)
ORDER BY space, external_identifier, version
ON CONFLICT DO NOTHING
RETURNING id, space, external_identifier, version
""").bindparams(bindparam("bags", type_=JSONB))
_ENTER_PLACES = text("""
INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)
SELECT bag_version_id, location_id, evidence_class, role
FROM jsonb_to_recordset(:places) AS place (bag_version_id bigint, location_id text, evidence_class text, role text)
""").bindparams(bindparam("places", type_=JSONB))


def entries(connection: Connection, bags: Sequence[BagVersion]) -> dict[BagVersion, Entry]:
    """What the register has of these; those that it does not have are left out."""
    if not bags:
        return {}
    columns = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)
    wanted = [(bag.space.value, bag.external_identifier.value, bag.version.number) for bag in bags]
    rows = connection.execute(
        select(*columns, bag_versions.c.pins, bag_locations.c.location_id)
        .join(bag_locations, bag_locations.c.bag_version_id == bag_versions.c.id)
        .where(bag_locations.c.role == "primary", tuple_(*columns).in_(wanted))
    )
    return {BagVersion.of(*row[:3]): Entry(row.pins, row.location_id) for row in rows}


def enter(connection: Connection, new: Sequence[NewBag]) -> set[BagVersion]:
    """Add bag versions with their locations; returns those that were added.

    What is registered never changes: a bag version that the register has, or that comes twice, stays as it was.
    """
    by_bag = {each.bag: each for each in reversed(new)}
    if not by_bag:
        return set()
    rows = connection.execute(_ENTER_BAGS, {"bags": [_row(each) for each in by_bag.values()]})
    added = {BagVersion.of(*row[1:]): row.id for row in rows}
    places = [place for bag, row_id in added.items() for place in _places(by_bag[bag], row_id)]
    if places:
        connection.execute(_ENTER_PLACES, {"places": places})
    return set(added)


def add_copies(connection: Connection, *, location_id: str, copies: Mapping[BagVersion, EvidenceClass]) -> int:
    """Let a location enter the records of registered bags, as listed there; how many records changed.

    A record that has the location stays as it is, whatever is known of it.
    """
    if not copies:
        return 0
    columns = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)
    wanted = [(bag.space.value, bag.external_identifier.value, bag.version.number) for bag in sorted(copies)]
    # Locked in one order, so that two imports wait for each other and never in a circle.
    found = connection.execute(
        select(bag_versions.c.id, *columns).where(tuple_(*columns).in_(wanted)).order_by(*columns).with_for_update()
    )
    rows = [
        {
            "bag_version_id": row.id,
            "location_id": location_id,
            "evidence_class": copies[BagVersion.of(*row[1:])].value,
            "role": "replica",
        }
        for row in found
    ]
    adding = upsert(bag_locations).on_conflict_do_nothing().returning(bag_locations.c.bag_version_id)
    added = connection.execute(adding, rows).scalars().all() if rows else []
    if added:
        grown = update(bag_versions).where(bag_versions.c.id.in_(added)).values(revision=bag_versions.c.revision + 1)
        connection.execute(grown)
    return len(added)


def _row(new: NewBag) -> dict[str, Any]:
    return {
        "space": new.bag.space.value,
        "external_identifier": new.bag.external_identifier.value,
        "version": new.bag.version.number,
        "created_date": None if new.created is None else datetime.fromisoformat(new.created).isoformat(),
        "created_text": new.created,
        "ingest_id": None if new.ingest_id is None else str(new.ingest_id),
        "info": dict(new.info),
        "checksum_algorithm": new.algorithm.value,
        "file_count": new.file_count,
        "bytes": new.bytes,
        "pins": dict(new.pins),
        "depends_on": list(new.depends_on),
        "files_key": new.files_key,
        "files_sha256": new.files_sha256,
    }


def _places(new: NewBag, row_id: int) -> list[dict[str, Any]]:
    primary = (new.location_id, new.evidence_class, "primary")
    others = [(each.location_id, each.evidence_class, "replica") for each in new.replicas]
    return [
        {"bag_version_id": row_id, "location_id": location, "evidence_class": evidence.value, "role": role}
        for location, evidence, role in (primary, *others)
    ]
