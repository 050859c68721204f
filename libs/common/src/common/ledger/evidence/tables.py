"""The tables of evidence."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.domain.replica import EvidenceClass
from common.ledger.columns import Prose, metadata, one_of, timestamp

evidence = Table(
    "evidence",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("ingest_id", ForeignKey("ingests.id")),
    Column("segment_id", ForeignKey("segments.id")),
    Column("check_id", ForeignKey("fixity_checks.id"), comment="where no ingest read it"),
    Column("path", Text, nullable=False),
    Column("key", Text(collation="C"), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evidence_class", Text, nullable=False),
    Column("expected", JSONB, nullable=False),
    Column("measured", JSONB, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("etag", Text),
    Column("version_id", Text),
    Column("reason", Prose, nullable=False, server_default=""),
    Column("reads", Integer, nullable=False, server_default=text("1")),
    Column("doubts", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    timestamp("started_at", default=False),
    Column("microseconds", BigInteger, nullable=False),
    Column("worker", Text, nullable=False),
    Column("build", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    timestamp("recorded_at"),
    one_of("outcome", ["match", "mismatch", "missing"]),
    one_of("evidence_class", [e.value for e in EvidenceClass]),
    Index("ix_evidence_segment", "segment_id", "outcome"),
    Index("ix_evidence_bag", "bag_version_id", "location_id"),
    Index("ix_evidence_ingest_key", "ingest_id", "key"),
    Index("ix_evidence_check", "check_id", "key", postgresql_where=text("check_id IS NOT NULL")),
    Index("ix_evidence_bad", "ingest_id", "key", postgresql_where=text("outcome <> 'match' OR reads > 1")),
)

evidence_chain = Table(
    "evidence_chain",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("form", SmallInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    timestamp("sealed_at"),
    one_of("source", ["evidence", "actions"]),
    UniqueConstraint("source", "source_id"),
)
"""A link for every row of evidence and every human action; each covers the one before it."""

chain_marks = Table(
    "chain_marks",
    metadata,
    Column("source", Text, primary_key=True),
    Column("sealed_to", BigInteger, nullable=False),
)
"""Up to which id all rows of a table are sealed: where to look for further ones, no proof of anything."""

evidence_checkpoints = Table(
    "evidence_checkpoints",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("document", Text, nullable=False),
    timestamp("created_at"),
    timestamp("written_at", nullable=True),
)
"""Copies of what was written to the second place."""
