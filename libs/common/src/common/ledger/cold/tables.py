"""The tables of storage classes. Triggers write the sums, in the transaction that makes them true."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKeyConstraint, Identity, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from common.ledger.columns import metadata, timestamp

copy_classes = Table(
    "copy_classes",
    metadata,
    Column("bag_version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("location_id", Text, primary_key=True),
    Column("classes", JSONB, nullable=False, comment="number and bytes of its objects, by storage class"),
    timestamp("seen_at"),  # once a day, where nothing changes
    ForeignKeyConstraint(
        ["bag_version_id", "location_id"],
        ["bag_locations.bag_version_id", "bag_locations.location_id"],
        name="fk_copy_classes_copy",
    ),
    comment="in which storage classes a registered copy's own objects lay when they were last listed",
)


def _amounts() -> tuple[Column[int], ...]:
    return tuple(Column(name, BigInteger, nullable=False) for name in ("bags", "files", "bytes"))


cold_sums = Table(
    "cold_sums",
    metadata,
    Column("location_id", Text, primary_key=True),
    Column("space", Text, primary_key=True),
    Column("storage_class", Text, primary_key=True, comment="empty: of all classes"),
    Column("state", Text, primary_key=True, comment="lying, restoring, restored; known: copies of which it was told"),
    Column("seen_on", Date, primary_key=True, comment="day (UTC) on which it was seen lying there"),
    *_amounts(),
    comment="sums of cold_changes that were folded",
)

cold_changes = Table(
    "cold_changes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("location_id", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("storage_class", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seen_on", Date, nullable=False),
    *_amounts(),
    comment="what transactions changed; added to cold_sums now and then, so that they do not wait for each other",
)
