"""Who waits for which object to be brought back, what stores told by themselves, and what is asked for in batches."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from common.domain.restore import Happened
from common.ledger.columns import EMPTY, Prose, metadata, one_of, timestamp

restore_waits = Table(
    "restore_waits",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("row_id", BigInteger, primary_key=True, comment="of a replica, a segment or an import"),
    Column("bucket", Text(collation="C"), primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    timestamp("since"),
    timestamp("told_at", nullable=True),
    one_of("kind", ["segment", "replica", "import"]),
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

batches = Table(
    "batches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("token", Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("family", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("days", Integer),
    Column("tag", Prose),
    Column("objects", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="planned"),
    Column("store_id", Text, comment="as the store calls it"),
    Column("status", Text),
    Column("why", Prose),
    Column("failed", BigInteger),
    timestamp("created_at"),
    timestamp("next_check_at", nullable=True),
    timestamp("ended_at", nullable=True),
    one_of("state", ["planned", "sent", "ended"]),
    Index("ix_batches_open", "location_id", "state", postgresql_where=text("state <> 'ended'")),
)

batch_requests = Table(
    "batch_requests",
    metadata,
    Column("segment_id", ForeignKey("segments.id"), primary_key=True),
    Column("family", Text, primary_key=True),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("tier", Text, nullable=False),
    Column("days", Integer),
    Column("tag", Prose),
    Column("objects", JSONB, nullable=False, comment="key and version of each"),
    Column("amounts", JSONB, nullable=False, server_default=text("'[]'::jsonb"), comment="class and size of each"),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="gathering"),
    Column("batch_id", ForeignKey("batches.id")),
    Column("failures", JSONB, nullable=False, server_default=EMPTY),
    Column("restores", JSONB, comment="what the store took on, as it is in the books"),
    timestamp("asked_at"),
    timestamp("changed_at"),
    one_of("family", ["copy", "move"]),
    one_of("state", ["gathering", "in_batch", "done", "direct"]),
    Index("ix_batch_requests_gathering", "location_id", "asked_at", postgresql_where=text("state = 'gathering'")),
    Index("ix_batch_requests_batch", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
    Index("ix_batch_requests_unbilled", "location_id", postgresql_where=text("state = 'done' AND restores IS NULL")),
)
