"""The tables of what is true for a while only: nothing depends on their rows for longer than minutes or days."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from common.ledger.columns import metadata, timestamp

location_shares = Table(
    "location_shares",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("holder", Text, primary_key=True, comment="a process, as claims name it"),
    timestamp("used_at"),
    timestamp("moved_at", nullable=True),
)
