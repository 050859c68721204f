"""What was given up and waits for a person to decide."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from common.ledger.columns import Prose, metadata, one_of, timestamp

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("queue", Text, nullable=False),
    Column("body", Prose, nullable=False),
    Column("kind", Text),
    Column("row_id", BigInteger),
    Column("ingest_id", Uuid),
    Column("code", Text, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    timestamp("created_at"),
    Column("resolution", Text),
    timestamp("resolved_at", nullable=True),
    Column("redriven_as", Uuid),
    one_of("resolution", ["redriven", "discarded"]),
    Index("ix_dead_letters_created", "created_at"),
    Index("ix_dead_letters_open", "id", postgresql_where=text("resolution IS NULL")),
    Index("ix_dead_letters_ingest", "ingest_id"),
    Index("ix_dead_letters_code", "code", "id"),
    Index("ix_dead_letters_queue", "queue", "id"),
)
