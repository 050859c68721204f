"""The tables of what is owed to those who asked: calls back, equal answers to equal requests, and news."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.ledger.columns import EMPTY, metadata, one_of, timestamp

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "message_id",
        Uuid,
        nullable=False,
        server_default=text("gen_random_uuid()"),
        comment="the same however often it is sent",
    ),
    Column("ingest_id", ForeignKey("ingests.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False, comment="waiting: the ingest has not finished yet"),
    Column("round", Integer, nullable=False, server_default=text("1"), comment="grows with each replay"),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    timestamp("lease_until", nullable=True),
    Column("claimed_by", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    timestamp("due_at", nullable=True),
    Column("last_error", Text),
    timestamp("created_at"),
    timestamp("ended_at", nullable=True),
    one_of("state", ["waiting", "pending", "succeeded", "failed"]),
    UniqueConstraint("ingest_id", "url"),
    Index("ix_callbacks_due", "due_at", postgresql_where=text("state = 'pending'")),
)

callback_attempts = Table(
    "callback_attempts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("callback_id", ForeignKey("callbacks.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    timestamp("started_at", default=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", Integer, comment="of the answer; NULL: there was none"),
    Column("error", Text),
    Column("code", Text, comment="of the error; NULL where it was delivered"),
    Column("answer", Text, nullable=False, server_default="", comment="the beginning of the answer's body"),
    Column("worker", Text, nullable=False),
    Index("ix_callback_attempts_callback", "callback_id", "id"),
)

announcements = Table(
    "announcements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="id of the ingest, bag version or campaign"),
    Column("detail", JSONB, nullable=False, server_default=EMPTY),
    timestamp("created_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),
    Column("status", Integer),
    Column("location", Text),
    Column("body", Text),
    timestamp("created_at"),
    Index("ix_idempotency_keys_created", "created_at"),
)
