"""What is recorded of a copy's files that were once read back: what a store's word on frozen ones is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, distinct, false, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass, Verdict
from common.jobs import ReadBefore
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import bag_locations, bag_versions, evidence


def of_keys(connection: Connection, *, check_id: int, keys: Sequence[str]) -> list[ReadBefore]:
    """Of these objects of the check's copy, those that were read back and agreed, by key."""
    return _found(connection, check_id, evidence.c.key.in_(keys))


def page(connection: Connection, *, check_id: int, after: str, limit: int) -> list[ReadBefore]:
    """The first `limit` objects behind the key `after`, by key."""
    return _found(connection, check_id, evidence.c.key > after, limit=limit)


def _found(
    connection: Connection, check_id: int, wanted: ColumnElement[bool], *, limit: int | None = None
) -> list[ReadBefore]:
    query = (
        select(evidence)
        .where(
            *_last_reading(connection, check_id),
            wanted,
            evidence.c.outcome == "match",
            evidence.c.evidence_class >= EvidenceClass.READ_BACK.value,
            evidence.c.etag.is_not(None),
        )
        .ext(distinct_on(evidence.c.key))
        .order_by(evidence.c.key, evidence.c.id.desc())
        .limit(limit)
    )
    return [_read_before(row) for row in connection.execute(query)]


def _last_reading(connection: Connection, check_id: int) -> tuple[ColumnElement[bool], ...]:
    """The evidence of the last reading of the whole copy: of a check that found it good, or else of the ingest that
    made it. By reader and key, evidence has indexes.
    """
    check = connection.execute(select(fixity_checks).where(fixity_checks.c.id == check_id)).one()
    good = select(func.max(fixity_checks.c.id)).where(
        fixity_checks.c.bag_version_id == check.bag_version_id,
        fixity_checks.c.location_id == check.location_id,
        fixity_checks.c.verdict == Verdict.GOOD.value,
    )
    if (last := connection.execute(good).scalar()) is not None:
        return (evidence.c.check_id == last,)
    made = select(bag_locations.c.ingest_id).where(
        bag_locations.c.bag_version_id == check.bag_version_id, bag_locations.c.location_id == check.location_id
    )
    ingest = connection.execute(made).scalar()
    if ingest is None:
        return (false(),)
    return evidence.c.ingest_id == ingest, evidence.c.location_id == check.location_id


def weakest(connection: Connection, check_id: int) -> EvidenceClass:
    """What a check has shown of all files of its copy; E0 where there are files that it has no evidence for."""
    good = case((evidence.c.outcome == "match", evidence.c.path))
    row = connection.execute(
        select(bag_versions.c.file_count, func.count(distinct(good)).label("good"), func.min(evidence.c.evidence_class))
        .select_from(fixity_checks)
        .join(bag_versions, bag_versions.c.id == fixity_checks.c.bag_version_id)
        .join(evidence, evidence.c.check_id == fixity_checks.c.id)
        .where(fixity_checks.c.id == check_id)
        .group_by(bag_versions.c.file_count)
    ).one_or_none()
    return EvidenceClass(row.min) if row and row.good >= row.file_count else EvidenceClass.LISTED


def _read_before(row: Any) -> ReadBefore:
    return ReadBefore(
        path=row.path,
        key=row.key,
        digests={Algorithm(name): digest for name, digest in row.expected.items()},
        bytes=row.bytes,
        etag=row.etag,
        version_id=row.version_id,
    )
