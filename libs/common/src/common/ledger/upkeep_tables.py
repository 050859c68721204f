"""The tables of what is true for a while only: nothing depends on their rows for longer than minutes or days."""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Double, ForeignKey, Table, Text, text

from common.ledger.columns import metadata, one_of, timestamp

location_shares = Table(
    "location_shares",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("holder", Text, primary_key=True, comment="a process, as claims name it"),
    timestamp("used_at"),
    timestamp("moved_at", nullable=True),
)

_LONG_AGO = text("'2000-01-01 00:00:00+00'::timestamptz")

restore_rates = Table(
    "restore_rates",
    metadata,
    Column("account", Text, primary_key=True, comment="endpoint, region and account"),
    Column("rate", Double, nullable=False, comment="restore requests a second when it was lowered"),
    Column("lowered_at", DateTime(timezone=True), nullable=False, server_default=_LONG_AGO),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=_LONG_AGO),
)

unfinished_uploads = Table(
    "unfinished_uploads",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("upload_id", Text(collation="C"), primary_key=True),
    Column("owner", Text, nullable=False),
    timestamp("started_at", nullable=True),
    timestamp("first_seen_at"),
    timestamp("seen_at"),
    timestamp("aborted_at", nullable=True),
    one_of("owner", ["live", "abandoned", "unknown"]),
)

digests = Table(
    "digests",
    metadata,
    Column("day", Date, primary_key=True),
    timestamp("claimed_until", default=False),
    timestamp("delivered_at", nullable=True),
)

upkeep_turns = Table(
    "upkeep_turns",
    metadata,
    Column("task", Text, primary_key=True),
    timestamp("taken_at", default=False),
)
