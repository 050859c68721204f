"""The tables of when copies are read again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from common.ledger.columns import metadata, timestamp

fixity_policies = Table(
    "fixity_policies",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("space", Text),
    Column("every_days", Integer, nullable=False),
    Column("at_once", Integer, nullable=False, server_default=text("10")),
    Column("bytes_per_second", BigInteger),
    timestamp("paid_until"),
    Column("created_by", Text, nullable=False),
    timestamp("created_at"),
    CheckConstraint("every_days >= 1", name="every_is_positive"),
    CheckConstraint("at_once >= 1", name="at_once_is_positive"),
    CheckConstraint("bytes_per_second >= 1", name="rate_is_positive"),
    Index("uq_fixity_policies_place", "location_id", text("coalesce(space, '')"), unique=True),
)
"""`paid_until`: the bytes of all checks that were begun are paid for by then, at the policy's rate."""

copy_schedule = Table(
    "copy_schedule",
    metadata,
    Column("bag_version_id", ForeignKey("bag_versions.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("policy_id", ForeignKey("fixity_policies.id", ondelete="CASCADE"), nullable=False),
    Column("every_days", Integer, nullable=False),
    Column("phase", Double, nullable=False),
    timestamp("due_at", default=False),
    Column("not_before", DateTime(timezone=True), nullable=False, server_default=text("'-infinity'")),
    PrimaryKeyConstraint("bag_version_id", "location_id"),
    Index("ix_copy_schedule_due", "policy_id", "due_at"),
)
"""`phase`: the copy's own place in every period, 0 to 1, from a hash of its name."""
