"""The tables of who may call, and of what people did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from common.ledger.columns import EMPTY, metadata, one_of, timestamp

clients = Table(
    "clients",
    metadata,
    Column("id", Text, primary_key=True, comment="public: goes into logs and actions"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False, comment="of 256 random bits, so no slow hash is needed"),
    Column("permissions", JSONB, nullable=False),
    Column("created_by", Text, nullable=False),
    timestamp("created_at"),
    timestamp("expires_at", nullable=True),
    timestamp("revoked_at", nullable=True),
    timestamp("last_used_at", nullable=True),
    one_of("kind", ["client", "key"]),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="the key's RFC 7638 thumbprint"),
    Column("private_key", JSONB, nullable=False),
    timestamp("created_at"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("who", Text, nullable=False, comment="a caller's id"),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it was done to, such as ingest:<id>"),
    Column("why", Text, nullable=False, server_default=""),
    Column("detail", JSONB, nullable=False, server_default=EMPTY),
    timestamp("created_at"),
    Index("ix_actions_subject", "subject", "id"),
)
