"""The tables of coverage. Triggers write them, in the transaction that makes them true; nobody else does."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table, Text, text

from common.ledger.columns import metadata

gaps = Table(
    "gaps",
    metadata,
    # No foreign keys: rows come and go with those of the tables whose triggers write them, by the million.
    Column("bag_version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("location_id", Text, primary_key=True),
    Column("space", Text, nullable=False),
    Column("external_identifier", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="missing, or the state of the replica that is to fill it"),
    Index("ix_gaps_place", "location_id", "space", "external_identifier", "version"),
    Index(
        "ix_gaps_touched",
        "location_id",
        "state",
        "space",
        "external_identifier",
        "version",
        postgresql_where=text("state <> 'missing'"),
    ),
    comment="bag versions without a registered copy at a location",
)

coverage = Table(
    "coverage",
    metadata,
    Column("space", Text, primary_key=True),
    Column("location_id", Text, primary_key=True, comment="empty: of all locations together"),
    Column("state", Text, primary_key=True, comment="of a gap, or the evidence class of a copy; at risk or safe"),
    Column("bags", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    comment="sums of coverage_changes that were folded",
)

coverage_changes = Table(
    "coverage_changes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("space", Text, nullable=False),
    Column("location_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bags", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    comment="what transactions changed; added to coverage now and then, so that they do not wait for each other",
)
