"""Evidence for a report: every copy of a bag, a version or a space, with the last proof of each of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from common.domain.bag import BagVersion
from common.ledger.evidence.tables import evidence
from common.ledger.fixity.tables import copy_health, fixity_checks
from common.ledger.proofs import Proof, proof_of
from common.ledger.tables import bag_locations, bag_versions, locations


@dataclass(frozen=True, slots=True)
class Scope:
    """What the report is about."""

    space: str
    identifier: str | None = None
    version: int | None = None
    location_id: str | None = None

    @property
    def name(self) -> str:
        bag = "/".join(part for part in (self.space, self.identifier, self.version and f"v{self.version}") if part)
        return bag + (f" at {self.location_id}" if self.location_id else "")


@dataclass(frozen=True, slots=True)
class ProvenCopy:
    """A copy that is in a bag's record."""

    bag_version_id: int
    bag: BagVersion
    location_id: str
    provider: str
    bucket: str
    root: str
    """The prefix of its keys."""
    role: str
    evidence_class: str
    files: int
    bytes: int
    registered_at: datetime
    verdict: str | None
    """Of the last check, if there was one."""
    checked_at: datetime | None
    ingest_id: UUID | None
    """Whose proof is told: that of the check, or of the ingest where there was none."""
    check_id: int | None


def counts(connection: Connection, scope: Scope) -> list[Mapping[str, Any]]:
    """Copies, files and bytes of the scope by location, evidence class and the last check's verdict."""
    keys = (bag_locations.c.location_id, bag_locations.c.evidence_class, copy_health.c.verdict)
    size = (func.sum(bag_versions.c.file_count).label("files"), func.sum(bag_versions.c.bytes).label("bytes"))
    query = select(*keys, func.count().label("copies"), *size).select_from(_joined()).where(*_within(scope))
    return [dict(row) for row in connection.execute(query.group_by(*keys).order_by(*keys)).mappings()]


def copies(connection: Connection, scope: Scope, *, after: tuple[int, str] | None, limit: int) -> list[ProvenCopy]:
    """A page of the scope's copies, by bag version and location."""
    query = (
        select(
            bag_versions.c.id,
            bag_versions.c.space,
            bag_versions.c.external_identifier,
            bag_versions.c.version,
            bag_versions.c.file_count,
            bag_versions.c.bytes,
            locations.c.provider,
            locations.c.bucket,
            locations.c.prefix,
            bag_locations,
            copy_health.c.verdict,
            copy_health.c.checked_at,
            copy_health.c.check_id,
        )
        .select_from(_joined())
        .where(*_within(scope))
    )
    if after is not None:
        number, place = after
        behind = (bag_versions.c.id == number) & (bag_locations.c.location_id > place)
        query = query.where((bag_versions.c.id > number) | behind)
    rows = connection.execute(query.order_by(bag_versions.c.id, bag_locations.c.location_id).limit(limit))
    return [_copy(row) for row in rows]


def proofs(connection: Connection, copy: ProvenCopy, *, after: str | None, limit: int) -> list[Proof]:
    """A page of the copy's files by key, as the pass that proves it read them; empty for a copy that nobody read."""
    if copy.check_id is not None:
        mine = evidence.c.check_id == copy.check_id
    elif copy.ingest_id is not None:
        mine = (evidence.c.ingest_id == copy.ingest_id) & (evidence.c.location_id == copy.location_id)
    else:
        return []
    query = select(evidence).where(mine)
    if after is not None:
        query = query.where(evidence.c.key > after)
    return [proof_of(row) for row in connection.execute(query.order_by(evidence.c.key, evidence.c.id).limit(limit))]


def checks(connection: Connection, copy: ProvenCopy, *, limit: int) -> Iterator[Mapping[str, Any]]:
    """Every reading of the copy after it was registered, the newest first."""
    same = (fixity_checks.c.bag_version_id == copy.bag_version_id) & (fixity_checks.c.location_id == copy.location_id)
    rows = connection.execute(select(fixity_checks).where(same).order_by(fixity_checks.c.id.desc()).limit(limit))
    yield from (dict(row) for row in rows.mappings())


def _joined() -> Any:
    health = (copy_health.c.bag_version_id == bag_locations.c.bag_version_id) & (
        copy_health.c.location_id == bag_locations.c.location_id
    )
    return (
        bag_locations.join(bag_versions, bag_versions.c.id == bag_locations.c.bag_version_id)
        .join(locations, locations.c.id == bag_locations.c.location_id)
        .outerjoin(copy_health, health)
    )


def _within(scope: Scope) -> list[Any]:
    wanted = {
        bag_versions.c.space: scope.space,
        bag_versions.c.external_identifier: scope.identifier,
        bag_versions.c.version: scope.version,
        bag_locations.c.location_id: scope.location_id,
    }
    return [column == value for column, value in wanted.items() if value is not None]


def _copy(row: Any) -> ProvenCopy:
    bag = BagVersion.of(row.space, row.external_identifier, row.version)
    return ProvenCopy(
        bag_version_id=row.id,
        bag=bag,
        location_id=row.location_id,
        provider=row.provider,
        bucket=row.bucket,
        root=f"{row.prefix}{bag.path}/",
        role=row.role,
        evidence_class=row.evidence_class,
        files=row.file_count,
        bytes=row.bytes,
        registered_at=row.registered_at,
        verdict=row.verdict,
        checked_at=row.checked_at,
        ingest_id=row.ingest_id,
        check_id=row.check_id,
    )
