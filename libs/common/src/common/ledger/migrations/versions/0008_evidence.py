"""Evidence says how often a file was read, and what earlier reads found. Every statement can be repeated."""

from alembic import op

from common.ledger.migrations.online import add_index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE evidence"
        " ADD COLUMN IF NOT EXISTS reads integer NOT NULL DEFAULT 1,"
        " ADD COLUMN IF NOT EXISTS doubts jsonb NOT NULL DEFAULT '[]'::jsonb"
    )
    add_index("ix_evidence_bad", "evidence (ingest_id, key) WHERE outcome <> 'match' OR reads > 1")


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
