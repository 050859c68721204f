"""What is recorded of a copy's files that were once read back: what a store's word on frozen ones is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, case, distinct, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.jobs import ReadBefore
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import bag_versions, evidence


def of_keys(connection: Connection, *, check_id: int, keys: Sequence[str]) -> list[ReadBefore]:
    """Of these objects of the check's copy, those that were read back and agreed."""
    return _found(connection, _read_back(check_id).where(evidence.c.key.in_(keys)))


def page(connection: Connection, *, check_id: int, after: str, limit: int) -> list[ReadBefore]:
    """The first `limit` objects behind the key `after`, by key."""
    return _found(connection, _read_back(check_id).where(evidence.c.key > after).limit(limit))


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


def _read_back(check_id: int) -> Select[Any]:
    """The last word on each object: the object may have been replaced by one that was found good too."""
    return (
        select(evidence)
        .join(
            fixity_checks,
            (fixity_checks.c.bag_version_id == evidence.c.bag_version_id)
            & (fixity_checks.c.location_id == evidence.c.location_id),
        )
        .where(
            fixity_checks.c.id == check_id,
            evidence.c.outcome == "match",
            evidence.c.evidence_class >= EvidenceClass.READ_BACK.value,
            evidence.c.etag.is_not(None),
        )
        .ext(distinct_on(evidence.c.key))
        .order_by(evidence.c.key, evidence.c.id.desc())
    )


def _found(connection: Connection, query: Select[Any]) -> list[ReadBefore]:
    return [
        ReadBefore(
            path=row.path,
            key=row.key,
            digests={Algorithm(name): digest for name, digest in row.expected.items()},
            bytes=row.bytes,
            etag=row.etag,
            version_id=row.version_id,
        )
        for row in connection.execute(query)
    ]
