"""The ledger's answers to the aggregator: rows are counted, never messages."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from common.domain.replica import EvidenceClass
from common.ledger.engine import transaction
from common.ledger.tables import evidence, replicas
from replica_aggregator.tally import VerifiedObject


class LedgerRecords:
    """Reads on the primary: nothing is decided on a replica of the ledger."""

    def __init__(self, engine: Engine, *, batch: int = 5000) -> None:
        self._engine = engine
        self._batch = batch
        """How many objects are read at a time."""

    def planned(self, ingest_id: UUID) -> int:
        """How many files the plan has."""
        with transaction(self._engine) as connection:
            found = connection.execute(select(replicas.c.file_count).where(replicas.c.ingest_id == ingest_id)).scalar()
        return int(found or 0)

    def verified(self, ingest_id: UUID) -> int:
        """How many distinct files every byte of was read back and agreed."""
        with transaction(self._engine) as connection:
            return connection.execute(
                select(func.count(evidence.c.path.distinct())).where(*_proven(ingest_id))
            ).scalar_one()

    def objects(self, ingest_id: UUID, *, below: str) -> Iterator[VerifiedObject]:
        """The verified objects below a prefix, by key in UTF-8 byte order, a batch at a time."""
        key = evidence.c.key
        after = below
        while True:
            with transaction(self._engine) as connection:
                rows = connection.execute(
                    select(evidence.c.key, evidence.c.bytes, evidence.c.etag)
                    .ext(distinct_on(key))
                    .where(*_proven(ingest_id), key > after, func.starts_with(evidence.c.key, below))
                    # The last read counts: an interrupted attempt may have left evidence too.
                    .order_by(key, evidence.c.id.desc())
                    .limit(self._batch)
                ).all()
            yield from (VerifiedObject(row.key, row.bytes, row.etag) for row in rows)
            if len(rows) < self._batch:
                return
            after = rows[-1].key


def _proven(ingest_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        evidence.c.ingest_id == ingest_id,
        evidence.c.outcome == "match",
        evidence.c.evidence_class == EvidenceClass.READ_BACK.value,
    )
