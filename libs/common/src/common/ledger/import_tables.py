"""The tables of imports and of what they found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from common.domain.replica import ImportState
from common.ledger.columns import EMPTY, Prose, claim_columns, metadata, one_of, stall_indexes, timestamp

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("prefix", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("parent_id", ForeignKey("imports.id"), comment="the import that this row is a part of"),
    Column("until", Text(collation="C"), comment="the last key of its range; empty: the prefix's last"),
    Column("registers", Boolean, nullable=False, server_default=text("true"), comment="false: it only looks"),
    Column("source", JSONB, nullable=False, server_default=EMPTY, comment="what it reads, if not the store's lists"),
    Column("registered", BigInteger, nullable=False, server_default=text("0")),
    Column("known", BigInteger, nullable=False, server_default=text("0")),
    Column("refused", BigInteger, nullable=False, server_default=text("0")),
    Column("error_code", Text),
    timestamp("created_at"),
    timestamp("finished_at", nullable=True),
    *claim_columns(),
    one_of("state", [s.value for s in ImportState]),
    Index("ix_imports_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("ix_imports_due", "due_at", postgresql_where=text("state = 'walking'")),
    *stall_indexes("imports", "id", open_rows="state = 'walking'"),
)

import_problems = Table(
    "import_problems",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("bag_path", Prose, nullable=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Prose, nullable=False),
    timestamp("created_at"),
    UniqueConstraint("import_id", "bag_path", "code", "message"),
)
