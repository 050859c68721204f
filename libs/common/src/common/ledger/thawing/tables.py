"""The tables of thawing within a budget."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, Numeric, Table, Text, text

from common.ledger.columns import metadata, one_of, timestamp

_ZERO = text("0")

thaw_looks = Table(
    "thaw_looks",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    timestamp("look_at"),
    Column("why", Text, nullable=False, server_default=""),  # what those who wait are told
)
"""One row for each location with a budget; who decides for the location locks it."""

thaw_days = Table(
    "thaw_days",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("day", Date, primary_key=True),  # where the location is
    Column("bytes", BigInteger, nullable=False, server_default=_ZERO),
    Column("requests", BigInteger, nullable=False, server_default=_ZERO),
    Column("cost", Numeric, nullable=False, server_default=_ZERO),
)

thaw_admissions = Table(
    "thaw_admissions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("row_id", BigInteger, primary_key=True, autoincrement=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("replica_id", BigInteger),  # imports have neither replica nor ingest
    Column("ingest_id", ForeignKey("ingests.id")),
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("cost", Numeric, nullable=False),  # estimated, of asking for it once
    Column("soonest_seconds", BigInteger, nullable=False),
    Column("latest_seconds", BigInteger, nullable=False),
    Column("named_days", Integer),  # days that the request names
    timestamp("since"),
    timestamp("admitted_at", nullable=True),
    Column("days", Integer),  # days that may be asked for
    Column("left_objects", BigInteger, nullable=False, server_default=_ZERO),  # admitted and not asked for yet
    Column("rounds", Integer, nullable=False, server_default=_ZERO),  # how often it was admitted
    Column("extensions", Integer, nullable=False, server_default=_ZERO),
    timestamp("readable_at", nullable=True),
    timestamp("expires_at", nullable=True),
    timestamp("released_at", nullable=True),
    Column("copied", Boolean, nullable=False, server_default=text("false")),
    one_of("kind", ["segment", "replica", "import"]),
    Index(
        "ix_thaw_admissions_waiting",
        "location_id",
        "since",
        postgresql_where=text("admitted_at IS NULL AND released_at IS NULL"),
    ),
    Index(
        "ix_thaw_admissions_in_flight",
        "location_id",
        "expires_at",
        postgresql_where=text("admitted_at IS NOT NULL AND released_at IS NULL"),
    ),
    Index(
        "ix_thaw_admissions_ingest",
        "ingest_id",
        postgresql_where=text("released_at IS NULL AND readable_at IS NULL"),
    ),
    Index("ix_thaw_admissions_copied", "location_id", "released_at", postgresql_where=text("copied")),
)
"""Triggers on segments, replicas and imports set `readable_at` and `released_at`, whichever statement moves the row."""


def _billed() -> list[Column[object]]:
    """What was asked for, and what it came to."""
    return [
        Column("location_id", ForeignKey("locations.id"), primary_key=True),
        Column("storage_class", Text, primary_key=True),
        Column("tier", Text, primary_key=True),
        Column("days", Integer, primary_key=True, autoincrement=False),  # 0: moved for good
        Column("extension", Boolean, primary_key=True),  # a readable copy was prolonged
        Column("currency", Text, primary_key=True),
        Column("objects", BigInteger, nullable=False),
        Column("bytes", BigInteger, nullable=False),
        Column("cost", Numeric, nullable=False),  # by the price book of its day
        Column("priced", Boolean, nullable=False),  # the price book had all that it takes
    ]


thaw_bills = Table("thaw_bills", metadata, Column("ingest_id", ForeignKey("ingests.id"), primary_key=True), *_billed())

thaw_import_bills = Table(
    "thaw_import_bills", metadata, Column("import_id", ForeignKey("imports.id"), primary_key=True), *_billed()
)
"""By the import that people asked for, whichever of its parts asked for them."""
