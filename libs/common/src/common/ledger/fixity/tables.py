"""The tables of what is read again, and of what was found."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from common.domain.replica import CheckState, EvidenceClass, Verdict
from common.ledger.columns import Prose, claim_columns, metadata, one_of, stall_indexes, timestamp

_RUNNING = text("state = 'rereading'")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


fixity_checks = Table(
    "fixity_checks",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_by", Text, nullable=False),  # a caller's id, or "schedule"
    _count("files"),
    _count("bytes"),
    _count("bad"),
    _count("unread"),
    Column("verdict", Text),
    Column("why", Prose, nullable=False, server_default=""),
    Column("error_code", Text),
    timestamp("created_at"),
    timestamp("finished_at", nullable=True),
    *claim_columns(),
    one_of("state", [s.value for s in CheckState]),
    one_of("verdict", [v.value for v in Verdict]),
    CheckConstraint("(state = 'finished') = (verdict IS NOT NULL)", name="finished_has_a_verdict"),
    Index("uq_fixity_checks_running", "bag_version_id", "location_id", unique=True, postgresql_where=_RUNNING),
    Index("ix_fixity_checks_copy", "bag_version_id", "location_id", "id"),
    Index("ix_fixity_checks_due", "due_at", postgresql_where=_RUNNING),
    Index("ix_fixity_checks_bad", "id", postgresql_where=text("verdict = 'bad' OR state = 'failed'")),
    *stall_indexes("fixity_checks", "id", open_rows="state = 'rereading'"),
)

copy_health = Table(
    "copy_health",
    metadata,
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("verdict", Text, nullable=False),
    Column("evidence_class", Text, nullable=False),  # the weakest of that check's files
    Column("check_id", ForeignKey("fixity_checks.id"), nullable=False),
    timestamp("checked_at"),
    timestamp("read_at", nullable=True),
    PrimaryKeyConstraint("bag_version_id", "location_id"),
    one_of("verdict", [v.value for v in Verdict]),
    one_of("evidence_class", [e.value for e in EvidenceClass]),
    Index("ix_copy_health_bad", "location_id", "bag_version_id", postgresql_where=text("verdict = 'bad'")),
)
"""The last word on each copy that was read again; a row of `bag_locations` is never taken back for it."""
