"""Who waits for which object to be brought back, and what stores told by themselves. True for days only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text

from common.domain.restore import Happened
from common.ledger.columns import metadata, one_of, timestamp

restore_waits = Table(
    "restore_waits",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("row_id", BigInteger, primary_key=True, comment="of a replica or a segment"),
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    timestamp("since"),
    timestamp("told_at", nullable=True),
    one_of("kind", ["replica", "segment"]),
    Index("ix_restore_waits_object", "bucket", "key"),
)

restore_events = Table(
    "restore_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("what", Text, nullable=False),
    Column("bucket", Text(collation="C"), nullable=False),
    Column("key", Text(collation="C"), nullable=False),
    timestamp("at", nullable=True),
    timestamp("expires_at", nullable=True),
    timestamp("received_at"),
    one_of("what", [what.value for what in Happened]),
    Index("ix_restore_events_object", "bucket", "key", "received_at"),
    Index("ix_restore_events_received", "received_at"),
)
